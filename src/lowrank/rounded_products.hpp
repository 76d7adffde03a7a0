#pragma once

#include <cstdint>

#include "lowrank/truncated_svd.hpp"

/// Products with K of rounded_gram.
namespace koine::lowrank {

/// image <- K block, multiplied and summed in float32. block, image: [short, width] column-major,
/// float64. Cost: 2 short^2 width flops.  @pre rounded_gram
void rounded_times_block(std::int64_t short_side, std::int64_t width, const double* block,
                         double* image, Workspace& workspace);

/// An upper bound of |error|_2 of rounded_times_block of a vector of length 1.
[[nodiscard]] double rounded_times_error(std::int64_t short_side,
                                         const Workspace& workspace) noexcept;

/// An upper bound of |P K P|_F, P = I - U U^T, U the first `count` rows of workspace.vectors:
/// |K - sum theta u u^T|_F, theta in workspace.values, subtracted in float32. Cost: short^2 count
/// flops.
[[nodiscard]] double rounded_norm_without(std::int64_t short_side, std::int64_t count,
                                          Workspace& workspace);

/// K's entry.  @pre rounded_gram
[[nodiscard]] float rounded_entry(std::int64_t short_side, std::int64_t row, std::int64_t column,
                                  const Workspace& workspace);

}  // namespace koine::lowrank
