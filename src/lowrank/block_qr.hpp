#pragma once

#include <cstdint>

#include "lowrank/aligned.hpp"

namespace koine::lowrank {

/// Buffers of orthonormalise; grow and are used again.
struct BlockQrScratch {
  Scratch<double> reflections, products, inverse, columns;
  Scratch<int> pivots;
  bool is_triangular = false;  ///< the last r: CholeskyQR's
};

/// Columns of one length, one after the other; behind them there is room for kStripe more, which
/// are read and not used.
struct ColumnBlock {
  std::int64_t m, width;
  double* w;
};

/// w = q r with q orthonormal: w [m, width] becomes q [m, kept], r is [kept, width] column-major.
/// kept < width where columns of w are combinations of others to within `negligible` in norm: they
/// are dropped. CholeskyQR where w is well conditioned (5 m width^2 flops), else Householder with
/// column pivoting.
/// @pre r has room for width * width
/// Returns kept; 0 where all of w is negligible.
[[nodiscard]] std::int64_t orthonormalise(const ColumnBlock& block, double negligible, double* r,
                                          BlockQrScratch& scratch);

}  // namespace koine::lowrank
