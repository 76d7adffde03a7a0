#pragma once

#include <cstdint>

#include "lowrank/gram.hpp"
#include "lowrank/truncated_svd.hpp"

namespace koine::lowrank {

/// Columns of A that are combined at a time, in the second cache; shapes the bits of A A^T x.
inline constexpr std::int64_t kTauPanel = 96;

/// image <- A A^T block, multiplied and summed in float32 (right to about 1e-7 of the largest
/// eigenvalue), without forming A A^T. block, image: [short, width] column-major, float64.
/// Cost: 4 short long width flops, one reading of tau for every kStripe vectors of the block.
/// @pre columns_of (tau_columns.hpp) was called for this side and workspace
void gram_times_block(const ShortSideFirst& side, std::int64_t width, const double* block,
                      double* image, Workspace& workspace);

/// inner [width, width] <- block^T A A^T block: A^T block in float32, the rest in float64. Cost:
/// half of gram_times_block.
/// @pre as gram_times_block
void gram_within_block(const ShortSideFirst& side, std::int64_t width, const double* block,
                       double* inner, Workspace& workspace);

}  // namespace koine::lowrank
