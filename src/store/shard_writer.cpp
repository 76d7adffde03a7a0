#include "store/shard_writer.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "core/error.hpp"
#include "store/layout.hpp"

namespace koine::store {
namespace {

std::filesystem::path temporary_beside(const std::filesystem::path& path) {
  return path.string() + fmt::format(".tmp.{}", ::getpid());
}

void remove_quietly(const std::filesystem::path& path) noexcept {
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
}

/// Claims the blocks now, so that a full disk is found before any work, and sets the file's size.
void reserve(const File& file, std::int64_t bytes) {
  int status = 0;
  do status = ::fallocate(file.descriptor(), 0, 0, bytes);
  while (status != 0 && errno == EINTR);
  if (status != 0 && (errno == EOPNOTSUPP || errno == ENOSYS))
    status = ::ftruncate(file.descriptor(), bytes);
  if (status == 0) return;
  throw StorageError(fmt::format(
      "{}: reserving {} bytes failed: {}; free some space and run the same command again",
      file.path(), bytes, std::strerror(errno)));
}

}  // namespace

ShardWriter::ShardWriter(std::filesystem::path path, const std::string& shard,
                         std::vector<ShardTensor> tensors)
    : path_(std::move(path)), temporary_(temporary_beside(path_)), tensors_(std::move(tensors)) {
  ShardLayout layout = lay_out_shard(shard, tensors_);
  offsets_ = std::move(layout.offsets);
  try {
    file_ = File::create(temporary_);
    reserve(file_, layout.image.size());
    layout.image.copy_to(file_);
  } catch (...) {
    remove_quietly(temporary_);
    throw;
  }
}

ShardWriter::~ShardWriter() {
  if (!temporary_.empty()) remove_quietly(temporary_);
}

void ShardWriter::write(std::size_t index, std::int64_t offset, std::span<const std::byte> bytes) {
  const ShardTensor& tensor = tensors_.at(index);
  const auto count = static_cast<std::int64_t>(bytes.size());
  if (offset < 0 || count > tensor.bytes() || offset > tensor.bytes() - count) {
    throw Error(ExitCode::our_fault,
                fmt::format("{}: tensor '{}' has {} bytes, asked to write {} at {}", path_.string(),
                            tensor.name, tensor.bytes(), count, offset));
  }
  file_.write_at(bytes, offsets_[index] + offset);
  file_.start_writing(offsets_[index] + offset, count);
}

ShardSeal ShardWriter::publish(int threads) {
  file_.sync();
  file_.close();
  std::vector<TensorSeal> segments;
  std::vector<std::int64_t> bytes;
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    segments.push_back({tensors_[i].name, {}, offsets_[i]});
    bytes.push_back(tensors_[i].bytes());
  }
  ShardSeal seal = hash_shard(temporary_, segments, bytes, threads);
  publish_file(temporary_, path_);
  temporary_.clear();
  return seal;
}

}  // namespace koine::store
