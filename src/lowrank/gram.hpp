#pragma once

#include <cstdint>
#include <span>

#include "core/shape.hpp"
#include "lowrank/truncated_svd.hpp"

namespace koine::lowrank {

/// tau with its short side first: A = tau where rows <= cols, else A = tau^T. Nothing is copied.
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

/// As gram_matrix, but multiplied and summed in float32, right to about 1e-8 of the largest
/// eigenvalue: enough to find pairs that tau itself then judges. Half the time; nothing is widened.
void gram_matrix_in_single(const ShortSideFirst& side, Workspace& workspace);

/// b <- V A, summed in float64 and rounded once to float32. V: the first rows of workspace.vectors,
/// each of `short`. Row k of b has the same bits whatever b.size() is: rows are made in blocks
/// whose size depends on the rung alone.
/// @pre b holds whole rows of `long`, at most `rung` of them
void project(const ShortSideFirst& side, std::int64_t rung, std::span<float> b,
             Workspace& workspace);

/// The whole of A in float64, row-major, into workspace.panel: for the last solver only.
double* widen_all(const ShortSideFirst& side, Workspace& workspace);

}  // namespace koine::lowrank
