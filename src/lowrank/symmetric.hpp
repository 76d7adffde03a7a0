#pragma once

#include <cstdint>

#include "lowrank/truncated_svd.hpp"

namespace koine::lowrank {

/// Copies the lower triangle of a column-major [order, order] matrix to the upper one.
void mirror(std::int64_t order, double* matrix);

/// A symmetric matrix of which all of the square is filled.
struct SymmetricView {
  const double* data;
  std::int64_t order;
};

/// image <- G block, [order, width] column-major. Cost: 2 order^2 width flops.
void symmetric_times_block(const SymmetricView& gram, std::int64_t width, const double* block,
                           double* image, Workspace& workspace);

}  // namespace koine::lowrank
