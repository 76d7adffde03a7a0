#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/file.hpp"
#include "store/manifest.hpp"
#include "store/shard_writer.hpp"

namespace koine::store {

/// What HDF5 wrote around the payload: a sparse file in memory that holds the metadata's pages
/// alone. HDF5 never meets a full disk or a file system without locks; the bytes reach the disk
/// through File, whose errors are exact.
class LayoutImage {
 public:
  LayoutImage();  ///< empty. @throws StorageError
  ~LayoutImage();
  LayoutImage(LayoutImage&& other) noexcept;
  LayoutImage& operator=(LayoutImage&&) = delete;
  LayoutImage(const LayoutImage&) = delete;
  LayoutImage& operator=(const LayoutImage&) = delete;

  [[nodiscard]] std::string path() const;   ///< that HDF5 opens
  [[nodiscard]] std::int64_t size() const;  ///< of the whole file, payload included
  void copy_to(const File& file) const;     ///< the pages that hold something. @throws StorageError
  [[nodiscard]] std::string text() const;   ///< the whole file

 private:
  [[nodiscard]] std::string piece(std::int64_t offset, std::int64_t bytes) const;
  int descriptor_ = -1;
};

struct ShardLayout {
  LayoutImage image;
  std::vector<std::int64_t> offsets;  ///< of each tensor's bytes; 0 where it has none
};

/// A shard without its payload: /tensors/<name> in the given order, contiguous, unfiltered, no time
/// stamps, datasets of 4096 bytes and more on multiples of 4096; attributes format, version, shard
/// at the root.
/// @throws InputError for a name that HDF5 cannot hold, StorageError
[[nodiscard]] ShardLayout lay_out_shard(const std::string& shard,
                                        const std::vector<ShardTensor>& tensors);

/// The master file: /tensors/<name> as external links into the shards. @throws InputError,
/// StorageError
[[nodiscard]] LayoutImage lay_out_master(const std::vector<ManifestTensor>& tensors);

}  // namespace koine::store
