#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/dtype.hpp"
#include "core/file.hpp"
#include "core/shape.hpp"

namespace koine::store {

/// A dataset of a shard: /tensors/<name> ('/' in a name is refused).
struct ShardTensor {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;
  [[nodiscard]] std::int64_t bytes() const noexcept { return numel(shape) * size_of(dtype); }
};

/// What a finished shard is: its file read again after fsync.
struct TensorSeal {
  std::string name, sha256;
  std::int64_t offset = 0;  ///< of the dataset's bytes in the file; 0 where it has none
};
struct ShardSeal {
  std::string sha256;
  std::int64_t size = 0;
  std::vector<TensorSeal> tensors;  ///< in the order given to the writer
};

/// One HDF5 shard. The constructor lets HDF5 lay out contiguous, unfiltered datasets without time
/// stamps in a file of a temporary name beside `path`; the bytes are then written by offset, from
/// any thread, in any order; publish() makes it durable. The file's bytes depend on the tensors
/// alone. A writer destroyed before publish() leaves nothing.
class ShardWriter {
 public:
  /// @throws InputError for a name or shape that HDF5 cannot hold; StorageError (a full disk is
  /// found here: the whole file is reserved where the file system can)
  ShardWriter(std::filesystem::path path, const std::string& shard,
              std::vector<ShardTensor> tensors);
  ~ShardWriter();
  ShardWriter(const ShardWriter&) = delete;
  ShardWriter& operator=(const ShardWriter&) = delete;

  /// Bytes [offset, offset + bytes.size()) of tensor `index`. Thread-safe. @throws StorageError
  void write(std::size_t index, std::int64_t offset, std::span<const std::byte> bytes);

  /// fsync, hashes by re-reading on `threads` threads, renames into place, syncs the folder. Once.
  /// @pre every byte of every tensor was written
  [[nodiscard]] ShardSeal publish(int threads);

 private:
  std::filesystem::path path_, temporary_;
  std::vector<ShardTensor> tensors_;
  std::vector<std::int64_t> offsets_;
  File file_;
};

/// Hashes of a shard's file and of the given segments of it, by reading it. @throws InputError,
/// StorageError
[[nodiscard]] ShardSeal hash_shard(const std::filesystem::path& path,
                                   const std::vector<TensorSeal>& segments,
                                   const std::vector<std::int64_t>& bytes, int threads);

/// SHA-256 of a whole file by reading it in pieces.
[[nodiscard]] std::string hash_file(const std::filesystem::path& path);

}  // namespace koine::store
