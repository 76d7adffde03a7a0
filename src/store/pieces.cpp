#include "store/pieces.hpp"

#include <algorithm>
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

ShardSeal hash_shard(const std::filesystem::path& path, const std::vector<TensorSeal>& segments,
                     const std::vector<std::int64_t>& bytes, int threads) {
  const File file = File::open_read(path);
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
