#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/dtype.hpp"
#include "pipeline/plan.hpp"
#include "stats/rows.hpp"

namespace koine::pipeline {

/// How far the entries of a pruned matrix may be apart where two kinds of machines computed them;
/// what is merged without a low-rank part has the same bits everywhere: both are 0.
struct Band {
  double rounding = 0;  ///< what factors that are rounded otherwise make of an entry
  double flip = 0;      ///< where it is on the mask on one side alone: |tau - L| is the threshold's
};

/// With residuals rho, rho' of the two sides the kept space turns so far that
///   |L - L'|_F <= sqrt(2 r) (rho + rho') sigma_1 / gap,   gap = (sigma_r - sigma_r+1) / sigma_1
/// (Davis and Kahan: triplet i by rho theta_1 / (theta_i - theta_r+1)). An entry is taken to have
/// at most 16 times its share of that, and 2^-22 sigma_1 for factors in float32. Below a gap of
/// 1e-3 another triplet may stand for the last one: 64 sigma_r / sqrt(mn) more, 2 sigma_r at
/// most. rounding is the sum of these times |lambda weight|, flip has the thresholds too.
/// @param ours, theirs the report's rows of both sides
[[nodiscard]] Band band_of(const PlannedTensor& planned, const stats::TensorRow& ours,
                           const stats::TensorRow& theirs, std::int64_t entries);

/// Whether all entries differ by at most the band's flip, one in a thousand by more than its
/// rounding, beside one unit in the last place of `dtype`; without a band, whether none does.
[[nodiscard]] bool within(const Band& band, DType dtype, std::span<const std::byte> ours,
                          std::span<const std::byte> theirs);

}  // namespace koine::pipeline
