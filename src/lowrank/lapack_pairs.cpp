#include "lowrank/lapack_pairs.hpp"

#include <algorithm>
#include <cstring>

#include <lapacke.h>

namespace koine::lowrank {
namespace {

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}
lapack_int as_lapack(std::int64_t n) {
  return static_cast<lapack_int>(n);
}

/// LAPACK's ascending pairs -> descending, in place.
void reverse_pairs(std::int64_t count, std::int64_t m, double* values, double* vectors) {
  std::reverse(values, values + count);
  for (std::int64_t i = 0, j = count - 1; i < j; ++i, --j) {
    std::swap_ranges(vectors + i * m, vectors + (i + 1) * m, vectors + j * m);
  }
}

/// All eigenvalues of the copy in workspace.scratch, ascending; the copy becomes the vectors.
bool run_dsyevd(std::int64_t m, Workspace& workspace) {
  double* matrix = copy_of_gram(m, workspace);
  double* values = workspace.values.reserve(as_size(m));
  const lapack_int order = as_lapack(m);
  lapack_int integers = 0;
  double reals = 0;
  const auto call = [&](double* work, lapack_int lwork, lapack_int* iwork, lapack_int liwork) {
    return LAPACKE_dsyevd_work(LAPACK_COL_MAJOR, 'V', 'L', order, matrix, order, values, work,
                               lwork, iwork, liwork);
  };
  if (call(&reals, -1, &integers, -1) != 0) return false;
  const auto lwork = static_cast<lapack_int>(reals);
  double* work = workspace.lapack.reserve(as_size(lwork));
  return call(work, lwork, workspace.indices.reserve(as_size(integers)), integers) == 0;
}

}  // namespace

double* copy_of_gram(std::int64_t short_side, Workspace& workspace) {
  double* copy = workspace.scratch.reserve(as_size(short_side * short_side));
  std::memcpy(copy, workspace.gram.data(), as_size(short_side * short_side) * sizeof(double));
  return copy;
}

bool pairs_by_dsyevr(std::int64_t m, std::int64_t count, Workspace& workspace) {
  double* matrix = copy_of_gram(m, workspace);
  double* values = workspace.values.reserve(as_size(m));
  double* vectors = workspace.vectors.reserve(as_size(m * count));
  const lapack_int order = as_lapack(m);
  const char range = count == m ? 'A' : 'I';
  lapack_int found = 0, integers = 0;
  double reals = 0;
  lapack_int* support = workspace.indices.reserve(as_size(2 * m));
  const auto call = [&](double* work, lapack_int lwork, lapack_int* iwork, lapack_int liwork) {
    return LAPACKE_dsyevr_work(LAPACK_COL_MAJOR, 'V', range, 'L', order, matrix, order, 0, 0,
                               as_lapack(m - count + 1), order, 0, &found, values, vectors, order,
                               support, work, lwork, iwork, liwork);
  };
  if (call(&reals, -1, &integers, -1) != 0) return false;
  const auto lwork = static_cast<lapack_int>(reals);
  double* work = workspace.lapack.reserve(as_size(lwork));
  support = workspace.indices.reserve(as_size(2 * m + integers));
  if (call(work, lwork, support + 2 * m, integers) != 0 || found != count) return false;
  reverse_pairs(count, m, values, vectors);
  return true;
}

bool pairs_by_dsyevd(std::int64_t m, std::int64_t count, Workspace& workspace) {
  if (!run_dsyevd(m, workspace)) return false;
  double* values = workspace.values.data();
  double* vectors = workspace.vectors.reserve(as_size(m * count));
  std::copy_n(workspace.scratch.data() + (m - count) * m, count * m, vectors);
  std::copy_n(values + m - count, count, values);
  reverse_pairs(count, m, values, vectors);
  return true;
}

/// A row-major is A^T column-major: A^T = W S U^T, and LAPACK's last factor is U^T.
bool pairs_by_dgesdd(const ShortSideFirst& side, std::int64_t count, Workspace& workspace) {
  const std::int64_t m = side.short_side, n = side.long_side;
  double* all = widen_all(side, workspace);
  double* values = workspace.values.reserve(as_size(m));
  double* right = workspace.scratch.reserve(as_size(m * m));
  lapack_int* iwork = workspace.indices.reserve(as_size(8 * m));
  double reals = 0;
  const auto call = [&](double* left, double* work, lapack_int lwork) {
    return LAPACKE_dgesdd_work(LAPACK_COL_MAJOR, 'S', as_lapack(n), as_lapack(m), all, as_lapack(n),
                               values, left, as_lapack(n), right, as_lapack(m), work, lwork, iwork);
  };
  if (call(all, &reals, -1) != 0) return false;
  const auto lwork = static_cast<lapack_int>(reals);
  double* left = workspace.lapack.reserve(as_size(lwork) + as_size(n * m));
  if (call(left, left + n * m, lwork) != 0) return false;
  double* vectors = workspace.vectors.reserve(as_size(m * count));
  for (std::int64_t i = 0; i < count; ++i) {
    values[i] *= values[i];
    for (std::int64_t j = 0; j < m; ++j) vectors[i * m + j] = right[j * m + i];
  }
  return true;
}

}  // namespace koine::lowrank
