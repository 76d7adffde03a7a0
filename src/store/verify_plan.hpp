#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "store/manifest.hpp"

namespace koine::store {

/// What is read of one file and what came of it.
struct FileCheck {
  const ManifestFile* file = nullptr;
  bool is_whole = true;                            ///< the whole file is hashed, not only tensors
  std::vector<const ManifestTensor*> tensors;      ///< hashed by themselves, by offset
  std::vector<const ManifestTensor*> all_tensors;  ///< in this file
  bool is_checked = false, is_damaged = false;
  [[nodiscard]] std::int64_t bytes_to_read() const noexcept;
};

/// Checks in the order of manifest.files. A share of 1: every file whole, and every tensor by
/// itself. Less: files without tensors whole; of the others the tensors that come first by the
/// SHA-256 of their names, until their bytes reach that share of all tensors' (one at least).
/// `manifest` must outlive the checks.
[[nodiscard]] std::vector<FileCheck> plan_checks(const Manifest& manifest, double share);

/// Everything below a run folder but folders and what may differ: path -> whether it is a regular
/// file. Symbolic links are not followed. @throws StorageError
[[nodiscard]] std::map<std::string, bool> list_run_folder(const std::filesystem::path& run);

}  // namespace koine::store
