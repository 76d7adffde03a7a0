#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace koine::store {

struct VerifyOptions {
  double sample = 1.0;        ///< share of the bytes to read, spread over the files by a fixed rule
  double max_seconds = 0;     ///< 0: no limit; what was not reached is said
  int threads = 1;
  std::function<void(std::int64_t done, std::int64_t total)> progress;  ///< bytes; may be empty
};

struct Damage {
  std::string file;                   ///< relative to the run folder
  std::string what;                   ///< "missing", "size 10, expected 12", "content differs", "not in the manifest"
  std::vector<std::string> tensors;   ///< damaged tensors inside it
};

struct VerifyReport {
  std::int64_t files = 0, tensors = 0, bytes = 0;  ///< checked
  std::int64_t bytes_total = 0;                    ///< of everything (bytes < bytes_total for a sample)
  std::vector<Damage> damages;                     ///< every one; empty: all well
};

/// Re-reads everything written and checks it against the manifest, SHA256SUMS and the shards' own hashes. A file that
/// differs is read once more before the disk is blamed. Every file is hashed before libhdf5 opens it; then the master's
/// links and each dataset's type, shape, layout and offset are checked too.
/// Local. @throws InputError (no run folder), VerifyError (not complete, or the manifest itself is damaged)
[[nodiscard]] VerifyReport verify(const std::filesystem::path& run, const VerifyOptions& options);

}  // namespace koine::store
