#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace koine::store {

struct VerifyOptions {
  double sample = 1.0;     ///< share of the tensors' bytes to read, by a fixed rule; below 1 shards
                           ///< are not hashed whole
  double max_seconds = 0;  ///< 0: no limit; what was not reached is said
  int threads = 1;
  std::function<void(std::int64_t done, std::int64_t total)> progress;  ///< bytes; may be empty
};

struct Damage {
  std::string file;  ///< relative to the run folder
  std::string
      what;  ///< "missing", "size 10, expected 12", "content differs", "not in the manifest"
  std::vector<std::string> tensors;  ///< damaged tensors inside it
};

struct VerifyReport {
  std::int64_t files = 0, tensors = 0,
               bytes = 0;        ///< checked; files with manifest and SHA256SUMS, bytes without
  std::int64_t bytes_total = 0;  ///< of everything (bytes < bytes_total for a sample)
  std::int64_t files_unread = 0, bytes_unread = 0;  ///< not reached: files whole or in part
  std::vector<Damage> damages;                      ///< every one; empty: all well
};

/// Re-reads everything written and checks it against the manifest, SHA256SUMS and the shards' own
/// hashes. A file that differs is read once more before the disk is blamed. Every file is hashed
/// before libhdf5 opens it; then the master's links and each dataset's type, shape, layout and
/// offset are checked too. A shard that was not hashed whole (sample, time) is not opened with
/// HDF5. What can be found without reading (missing, added, wrong size) is found whatever the
/// sample. Memory: 1 MiB per thread. Calls throw_if_stopped between blocks. Local. @throws
/// InputError (no run folder), VerifyError (not complete, or the manifest itself is damaged)
[[nodiscard]] VerifyReport verify(const std::filesystem::path& run, const VerifyOptions& options);

}  // namespace koine::store
