#pragma once

#include <cstdint>

#include "core/shape.hpp"
#include "lowrank/truncated_svd.hpp"

namespace koine::lowrank {

/// tau with its short side first: A = tau where rows < cols, else A = tau^T. Nothing is copied.
struct ShortSideFirst {
  MatrixView tau;
  bool is_transposed = false;
  std::int64_t short_side = 0;  ///< rows of A
  std::int64_t long_side = 0;   ///< columns of A

  explicit ShortSideFirst(MatrixView row_major_tau);
};

/// workspace.gram <- A A^T in float64, the lower triangle of a column-major [short, short] matrix.
/// Cost: short^2 * long flops; one panel of A in float64 at a time, never all of A.
/// Returns its trace, which is |tau|_F^2 (each diagonal entry summed along the long side, then
/// added in order).
double gram_matrix(const ShortSideFirst& side, Workspace& workspace);

/// The whole of A in float64, row-major, into workspace.panel: for the last solver only.
double* widen_all(const ShortSideFirst& side, Workspace& workspace);

}  // namespace koine::lowrank
