#include "store/pieces.hpp"

#include <algorithm>
#include <memory>
#include <vector>

#include "core/hash.hpp"
#include "core/thread_pool.hpp"
#include "store/shard_writer.hpp"

namespace koine::store {
namespace {

constexpr std::int64_t kBlock = std::int64_t{1} << 20;

}  // namespace

std::string hash_piece(const File& file, Piece piece, const GoOn& go_on) {
  std::vector<std::byte> block(static_cast<std::size_t>(std::min(piece.bytes, kBlock)));
  Sha256 hash;
  for (std::int64_t done = 0; done < piece.bytes;) {
    const std::int64_t now = std::min(piece.bytes - done, kBlock);
    if (go_on && !go_on(now)) return {};
    const std::span<std::byte> part(block.data(), static_cast<std::size_t>(now));
    file.read_at(part, piece.offset + done);
    hash.update(part);
    done += now;
  }
  return hash.hex();
}

std::string hash_file(const std::filesystem::path& path) {
  const File file = File::open_read(path);
  return hash_piece(file, {0, file.size()});
}

namespace {

/// The tensors of a file that is read from its start, block after block.
class Segments {
 public:
  Segments(const std::vector<TensorSeal>& seals, const std::vector<std::int64_t>& bytes)
      : seals_(seals), bytes_(bytes), hashes_(seals.size()) {}

  /// Hashes what of [offset, offset + block.size()) belongs to a tensor. Cost: a look at each.
  void update(std::int64_t offset, std::span<const std::byte> block) {
    const std::int64_t end = offset + static_cast<std::int64_t>(block.size());
    for (std::size_t i = 0; i < seals_.size(); ++i) {
      const std::int64_t first = std::max(offset, seals_[i].offset);
      const std::int64_t last = std::min(end, seals_[i].offset + bytes_[i]);
      if (first >= last) continue;
      hashes_[i].update(block.subspan(static_cast<std::size_t>(first - offset),
                                      static_cast<std::size_t>(last - first)));
    }
  }
  [[nodiscard]] std::string hex(std::size_t i) { return hashes_[i].hex(); }

 private:
  const std::vector<TensorSeal>& seals_;
  const std::vector<std::int64_t>& bytes_;
  std::vector<Sha256> hashes_;
};

/// Both kinds of hashes from one reading of the file.
ShardSeal hash_in_one_pass(const File& file, const std::vector<TensorSeal>& segments,
                           const std::vector<std::int64_t>& bytes) {
  ShardSeal seal{{}, file.size(), segments};
  Segments tensors(segments, bytes);
  Sha256 whole;
  const auto block = std::make_unique_for_overwrite<std::byte[]>(kBlock);
  for (std::int64_t done = 0; done < seal.size; done += kBlock) {
    const std::span<std::byte> part(block.get(),
                                    static_cast<std::size_t>(std::min(seal.size - done, kBlock)));
    file.read_at(part, done);
    whole.update(part);
    tensors.update(done, part);
  }
  seal.sha256 = whole.hex();
  for (std::size_t i = 0; i < segments.size(); ++i) seal.tensors[i].sha256 = tensors.hex(i);
  return seal;
}

}  // namespace

ShardSeal hash_shard(const std::filesystem::path& path, const std::vector<TensorSeal>& segments,
                     const std::vector<std::int64_t>& bytes, int threads) {
  const File file = File::open_read(path);
  if (threads == 1) return hash_in_one_pass(file, segments, bytes);
  ShardSeal seal{{}, file.size(), segments};
  // The longest stream first: the whole file on one thread, the tensors on the others.
  parallel_for(static_cast<std::int64_t>(segments.size()) + 1, threads,
               [&](std::int64_t index, int) {
                 if (index == 0) {
                   seal.sha256 = hash_piece(file, {0, seal.size});
                   return;
                 }
                 const auto i = static_cast<std::size_t>(index - 1);
                 seal.tensors[i].sha256 = hash_piece(file, {segments[i].offset, bytes[i]});
               });
  return seal;
}

}  // namespace koine::store
