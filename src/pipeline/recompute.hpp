#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace koine::pipeline {

struct RecomputeReport {
  std::int64_t tensors = 0;            ///< merged again
  std::vector<std::string> differing;  ///< of these, the names whose bytes differ from the manifest
  bool is_comparable =
      true;  ///< false: another kind of machine computed the run, nothing was merged
};

/// Merges a share of a complete run's tensors again from the inputs and compares hashes; the sample
/// is fixed by the tensors' names. Local. @throws InputError where the recipe or the inputs are
/// gone or have changed
[[nodiscard]] RecomputeReport recompute(const std::filesystem::path& run, double share,
                                        int threads);

}  // namespace koine::pipeline
