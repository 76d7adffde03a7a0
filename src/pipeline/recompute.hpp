#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace koine::pipeline {

struct RecomputeReport {
  std::int64_t tensors = 0;            ///< merged again
  std::vector<std::string> differing;  ///< of these, the names that are not as the run has them
  bool is_by_bits = true;  ///< false: another kind of machine computed the run; pruned matrices
                           ///< were held against the band
};

/// Merges a share of a complete run's tensors again, from the inputs and on the CPU, and compares:
/// hashes, or, of pruned matrices that another kind of machine computed, entries (band.hpp). The
/// sample is fixed by the tensors' names. Local. @throws InputError where the recipe or the inputs
/// are gone or have changed
[[nodiscard]] RecomputeReport recompute(const std::filesystem::path& run, double share,
                                        int threads);

}  // namespace koine::pipeline
