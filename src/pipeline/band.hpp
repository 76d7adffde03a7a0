#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/dtype.hpp"
#include "pipeline/plan.hpp"
#include "stats/rows.hpp"

namespace koine::pipeline {

/// How far the entries of a pruned matrix may be apart where two kinds of machines computed them;
/// what is merged densely has the same bits everywhere.
struct Band {
  double rounding = 0;  ///< what factors that are rounded otherwise make of an entry
  double flip = 0;      ///< where it is on the mask on one side alone: |tau - L| is the threshold's
};

/// rounding = sum_t |lambda weight_t| (16 phi |L_t|_F / sqrt(mn) + 2^-22 sigma_1): directions that
/// are turned by phi = 4 residual / gap (Davis and Kahan), entries of up to 16 times the mean;
/// where the cut has hardly a gap (below 1e-3 theta_1), another triplet of size sigma_r may stand
/// for the last one. flip = rounding + sum_t |lambda weight_t| threshold_t.
/// @param row the report's, of a merge on either side
[[nodiscard]] Band band_of(const PlannedTensor& planned, const stats::TensorRow& row,
                           std::int64_t entries);

/// Whether all entries differ by at most the band's flip, one in a thousand by more than its
/// rounding, beside one unit in the last place of `dtype`.
[[nodiscard]] bool within(const Band& band, DType dtype, std::span<const std::byte> ours,
                          std::span<const std::byte> theirs);

}  // namespace koine::pipeline
