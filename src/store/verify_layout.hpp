#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "store/manifest.hpp"

namespace koine::store {

/// What HDF5 says against the manifest; empty: nothing.
struct LayoutTrouble {
  std::string what;                  ///< the first finding
  std::vector<std::string> tensors;  ///< every tensor with one
};

/// A shard whose hash is right: exactly those datasets under /tensors, hard links, contiguous,
/// unfiltered, no external storage; type, shape and offset as in the manifest. @pre the file's hash
/// was checked
[[nodiscard]] LayoutTrouble check_shard_layout(const std::filesystem::path& file,
                                               const std::vector<const ManifestTensor*>& tensors);

/// The master: exactly one external link per tensor, to that name in its shard. @pre the file's
/// hash was checked
[[nodiscard]] LayoutTrouble check_master_layout(const std::filesystem::path& file,
                                                const std::vector<ManifestTensor>& tensors);

}  // namespace koine::store
