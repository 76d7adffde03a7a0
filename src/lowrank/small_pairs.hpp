#pragma once

#include <cstdint>

#include "lowrank/truncated_svd.hpp"

namespace koine::lowrank {

/// A small symmetric matrix: its upper triangle, column-major, columns `lead` apart.
struct SmallSymmetric {
  const double* data;
  std::int64_t order, lead;
};

/// The `count` largest eigenpairs, descending: values, and vectors [order, count] column-major.
/// Residuals and orthogonality as LAPACK's: a few order u |H|. By the tridiagonal form, all its
/// eigenvalues (dsterf) and inverse iteration (dstein): little more than half of the time of
/// dsyevr, which finds part of a spectrum by bisection; that is asked where inverse iteration does
/// not settle. Takes workspace.scratch, lapack and indices; false where LAPACK gives up.
/// @pre `values` has room for `order`
[[nodiscard]] bool largest_small_pairs(const SmallSymmetric& matrix, std::int64_t count,
                                       double* values, double* vectors, Workspace& workspace);

}  // namespace koine::lowrank
