#include "lowrank/small_pairs.hpp"

#include <algorithm>
#include <cmath>

#include <lapacke.h>

namespace koine::lowrank {
namespace {

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

constexpr std::int64_t kBlocked = 64;  // doubles of workspace a column that LAPACK likes to have
constexpr double kLeastNorm = 1e-280;  // inverse iteration divides by |H|

/// One question: its arrays lie in the workspace.
class SmallPairs {
 public:
  SmallPairs(const SmallSymmetric& matrix, std::int64_t count, double* values, double* vectors,
             Workspace& workspace)
      : matrix_(matrix),
        k_(static_cast<lapack_int>(matrix.order)),
        count_(static_cast<lapack_int>(count)),
        values_(values),
        vectors_(vectors),
        copy_(workspace.scratch.reserve(as_size(matrix.order * matrix.order))),
        reals_(workspace.lapack.reserve(as_size((5 + kBlocked) * matrix.order))),
        integers_(workspace.indices.reserve(as_size(12 * matrix.order))) {}

  bool by_inverse_iteration() {
    take_copy();
    double *d = reals_, *e = d + k_, *tau = e + k_, *all = tau + k_, *off = all + k_;
    double* work = off + k_;
    const auto lwork = static_cast<lapack_int>(kBlocked * k_);
    if (LAPACKE_dsytrd_work(LAPACK_COL_MAJOR, 'U', k_, copy_, k_, d, e, tau, work, lwork) != 0)
      return false;
    std::copy_n(d, k_, all);
    std::copy_n(e, k_ - 1, off);
    if (LAPACKE_dsterf_work(k_, all, off) != 0) return false;
    if (!(std::max(std::fabs(all[0]), std::fabs(all[k_ - 1])) > kLeastNorm)) return false;
    std::copy_n(all + k_ - count_, count_, values_);  // ascending, as dstein wants them
    lapack_int *block = integers_, *split = block + k_, *iwork = split + k_, *failed = iwork + k_;
    std::fill_n(block, count_, 1);  // all in one block: a split only means zeros inside it
    *split = k_;
    return LAPACKE_dstein_work(LAPACK_COL_MAJOR, k_, d, e, count_, values_, block, split, vectors_,
                               k_, work, iwork, failed) == 0 &&
           LAPACKE_dormtr_work(LAPACK_COL_MAJOR, 'L', 'U', 'N', k_, count_, copy_, k_, tau,
                               vectors_, k_, work, lwork) == 0;
  }

  bool by_bisection() {
    take_copy();
    lapack_int found = 0;
    return LAPACKE_dsyevr_work(LAPACK_COL_MAJOR, 'V', count_ == k_ ? 'A' : 'I', 'U', k_, copy_, k_,
                               0, 0, k_ - count_ + 1, k_, 0, &found, values_, vectors_, k_,
                               integers_, reals_, static_cast<lapack_int>(kBlocked * k_),
                               integers_ + 2 * matrix_.order, 10 * k_) == 0 &&
           found == count_;
  }

 private:
  void take_copy() {
    for (lapack_int j = 0; j < k_; ++j)
      std::copy_n(matrix_.data + j * matrix_.lead, j + 1,
                  copy_ + static_cast<std::ptrdiff_t>(j) * k_);
  }

  const SmallSymmetric& matrix_;
  lapack_int k_, count_;
  double *values_, *vectors_, *copy_, *reals_;
  lapack_int* integers_;
};

}  // namespace

bool largest_small_pairs(const SmallSymmetric& matrix, std::int64_t count, double* values,
                         double* vectors, Workspace& workspace) {
  SmallPairs pairs(matrix, count, values, vectors, workspace);
  if (!pairs.by_inverse_iteration() && !pairs.by_bisection()) return false;
  const std::int64_t k = matrix.order;
  std::reverse(values, values + count);
  for (std::int64_t i = 0, j = count - 1; i < j; ++i, --j)
    std::swap_ranges(vectors + i * k, vectors + (i + 1) * k, vectors + j * k);
  return true;
}

}  // namespace koine::lowrank
