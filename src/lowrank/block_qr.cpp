#include "lowrank/block_qr.hpp"

#include <algorithm>
#include <cmath>

#include <lapacke.h>

#include "lowrank/block_products.hpp"

namespace koine::lowrank {
namespace {

// CholeskyQR loses the square of the condition number: below 1e4 the columns are orthogonal to
// 1e-8, and a second pass mends that.
constexpr double kWorstCondition = 1e4;

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

/// gram [width, width] <- w^T w.
void multiply_transposed(const ColumnBlock& block, double* gram, BlockQrScratch& scratch) {
  const auto& [m, width, w] = block;
  double* products = scratch.products.reserve(as_size(width * kStripe));
  for (std::int64_t first = 0; first < width; first += kStripe) {
    fastest_products<double, double>().inner_products({w, width, m, m}, w + first * m, products);
    columns_of_block(products, width, std::min(kStripe, width - first), gram + first * width);
  }
}

/// w <- w r^-1, the last columns first: each needs those before it.
bool divide(const ColumnBlock& block, const double* r, BlockQrScratch& scratch) {
  const auto& [m, width, w] = block;
  double* inverse = scratch.inverse.reserve(as_size(width * width));
  double* factors = scratch.products.reserve(as_size(width * kStripe));
  double* columns = scratch.columns.reserve(as_size(m * kStripe));
  const auto n = static_cast<lapack_int>(width);
  std::copy_n(r, width * width, inverse);
  if (LAPACKE_dtrtri_work(LAPACK_COL_MAJOR, 'U', 'N', n, inverse, n) != 0) return false;
  for (std::int64_t first = (width - 1) / kStripe * kStripe; first >= 0; first -= kStripe) {
    const std::int64_t count = std::min(kStripe, width - first), known = first + count;
    std::fill_n(factors, known * kStripe, 0.0);
    for (std::int64_t j = 0; j < count; ++j) {
      for (std::int64_t k = 0; k < known; ++k)
        factors[k * kStripe + j] = inverse[(first + j) * width + k];
    }
    fastest_products<double, double>().combine({w, known, m, m}, factors, Onto::zero, columns);
    std::copy_n(columns, m * count, w + first * m);
  }
  return true;
}

/// False where w is too ill-conditioned, or all of it negligible; w is as it was then.
bool cholesky_qr(const ColumnBlock& block, double negligible, double* r, BlockQrScratch& scratch) {
  const std::int64_t width = block.width;
  const auto n = static_cast<lapack_int>(width);
  multiply_transposed(block, r, scratch);
  if (LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'U', n, r, n) != 0) return false;
  double least = r[0], largest = r[0];
  for (std::int64_t j = 0; j < width; ++j) {
    least = std::min(least, r[j * (width + 1)]);
    largest = std::max(largest, r[j * (width + 1)]);
    std::fill(r + j * width + j + 1, r + (j + 1) * width, 0.0);
  }
  if (!(least > negligible && least * kWorstCondition > largest)) return false;
  return divide(block, r, scratch);
}

/// r [kept, width] from the upper triangle that dgeqp3 left in w, its columns put back in place.
void unpivot(const ColumnBlock& block, std::int64_t kept, const int* pivots, double* r) {
  const auto& [m, width, w] = block;
  std::fill_n(r, kept * width, 0.0);
  for (std::int64_t j = 0; j < width; ++j) {
    const std::int64_t place = pivots[j] - 1;
    std::copy_n(w + j * m, std::min(j + 1, kept), r + place * kept);
  }
}

std::int64_t pivoted_qr(const ColumnBlock& block, double negligible, double* r,
                        BlockQrScratch& scratch) {
  const auto& [m, width, w] = block;
  const auto rows = static_cast<lapack_int>(m), n = static_cast<lapack_int>(width);
  const lapack_int lwork = 64 * (n + 1);
  double* reflections = scratch.reflections.reserve(as_size(n + lwork));
  double* work = reflections + n;
  lapack_int* pivots = scratch.pivots.reserve(as_size(width));
  std::fill_n(pivots, width, 0);
  if (LAPACKE_dgeqp3_work(LAPACK_COL_MAJOR, rows, n, w, rows, pivots, reflections, work, lwork) !=
      0)
    return 0;
  std::int64_t kept = 0;
  while (kept < width && std::fabs(w[kept * (m + 1)]) > negligible) ++kept;
  unpivot(block, kept, pivots, r);
  const auto columns = static_cast<lapack_int>(kept);
  if (kept > 0 && LAPACKE_dorgqr_work(LAPACK_COL_MAJOR, rows, columns, columns, w, rows,
                                      reflections, work, lwork) != 0)
    return 0;
  return kept;
}

}  // namespace

std::int64_t orthonormalise(const ColumnBlock& block, double negligible, double* r,
                            BlockQrScratch& scratch) {
  scratch.is_triangular = cholesky_qr(block, negligible, r, scratch);
  if (scratch.is_triangular) return block.width;
  return pivoted_qr(block, negligible, r, scratch);
}

}  // namespace koine::lowrank
