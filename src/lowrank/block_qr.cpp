#include "lowrank/block_qr.hpp"

#include <algorithm>
#include <cmath>

#include <cblas.h>
#include <lapacke.h>

namespace koine::lowrank {
namespace {

// CholeskyQR loses the square of the condition number: below 1e4 the columns are orthogonal to
// 1e-8, and a second pass mends that.
constexpr double kWorstCondition = 1e4;

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

/// False where w is too ill-conditioned, or all of it negligible; w is as it was then.
bool cholesky_qr(const ColumnBlock& block, double negligible, double* r) {
  const auto& [m, width, w] = block;
  const int rows = static_cast<int>(m), n = static_cast<int>(width);
  cblas_dsyrk(CblasColMajor, CblasUpper, CblasTrans, n, rows, 1.0, w, rows, 0.0, r, n);
  if (LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'U', n, r, n) != 0) return false;
  double least = r[0], largest = r[0];
  for (std::int64_t j = 0; j < width; ++j) {
    least = std::min(least, r[j * (width + 1)]);
    largest = std::max(largest, r[j * (width + 1)]);
    std::fill(r + j * width + j + 1, r + (j + 1) * width, 0.0);
  }
  if (!(least > negligible && least * kWorstCondition > largest)) return false;
  cblas_dtrsm(CblasColMajor, CblasRight, CblasUpper, CblasNoTrans, CblasNonUnit, rows, n, 1.0, r, n,
              w, rows);
  return true;
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
  if (cholesky_qr(block, negligible, r)) return block.width;
  return pivoted_qr(block, negligible, r, scratch);
}

}  // namespace koine::lowrank
