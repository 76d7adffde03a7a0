#pragma once

#include <cstdint>

#include "lowrank/gram.hpp"
#include "lowrank/truncated_svd.hpp"

namespace koine::lowrank {

/// Columns of A that are combined at a time, in the second cache; shapes the bits of A A^T x, in
/// float32 and in float64 (through_tau.hpp).
inline constexpr std::int64_t kTauPanel = 96;

/// Products with A A^T, which is not formed, in float32 (right to about 1e-7 of its largest
/// eigenvalue). Tau is read by columns of A (tau_columns.hpp, whose copy must stay), once for every
/// kStripe vectors.
class TauProducts {
 public:
  /// The side and the workspace are kept.
  TauProducts(const ShortSideFirst& side, Workspace& workspace);

  /// image <- A A^T block, both [short, width] column-major, float64. Cost: 4 short long width
  /// flops.
  void times_block(std::int64_t width, const double* block, double* image);

  /// inner [width, width] <- block^T A A^T block: A^T block in float32, the rest in float64. Cost:
  /// half of times_block.
  void within_block(std::int64_t width, const double* block, double* inner);

 private:
  void times_stripe(const float* x, std::int64_t count, double* image);

  const ShortSideFirst& side_;
  Workspace& workspace_;
  const float* tau_;
};

}  // namespace koine::lowrank
