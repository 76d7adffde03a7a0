#include "lowrank/eigen.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <lapacke.h>

#include "core/rules.hpp"
#include "lowrank/krylov.hpp"
#include "lowrank/rounded_gram.hpp"
#include "lowrank/symmetric.hpp"
#include "lowrank/tau_block.hpp"
#include "lowrank/through_tau.hpp"

namespace koine::lowrank {
namespace {

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}
lapack_int as_lapack(std::int64_t n) {
  return static_cast<lapack_int>(n);
}

void make_first_largest_positive(double* vector, std::int64_t size) {
  if (!first_largest_is_negative(vector, size)) return;
  for (std::int64_t i = 0; i < size; ++i) vector[i] = -vector[i];
}

void make_first_largest_positive(std::int64_t size, std::int64_t count, double* vectors) {
  for (std::int64_t i = 0; i < count; ++i) make_first_largest_positive(vectors + i * size, size);
}

/// LAPACK's ascending pairs -> descending, in place.
void reverse_pairs(std::int64_t count, std::int64_t m, double* values, double* vectors) {
  std::reverse(values, values + count);
  for (std::int64_t i = 0, j = count - 1; i < j; ++i, --j) {
    std::swap_ranges(vectors + i * m, vectors + (i + 1) * m, vectors + j * m);
  }
}

bool run_dsyevr(std::int64_t m, std::int64_t count, Workspace& workspace) {
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

bool run_dsyevd_vectors(std::int64_t m, std::int64_t count, Workspace& workspace) {
  if (!run_dsyevd(m, workspace)) return false;
  double* values = workspace.values.data();
  double* vectors = workspace.vectors.reserve(as_size(m * count));
  std::copy_n(workspace.scratch.data() + (m - count) * m, count * m, vectors);
  std::copy_n(values + m - count, count, values);
  reverse_pairs(count, m, values, vectors);
  return true;
}

/// A row-major is A^T column-major: A^T = W S U^T, and LAPACK's last factor is U^T.
bool run_dgesdd(const ShortSideFirst& side, std::int64_t count, Workspace& workspace) {
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

/// The rest of the tolerance is for products in float32. They are right to 1e-7: converging further
/// would be in vain.
double target_through_tau(double tolerance) {
  return std::clamp(0.4 * tolerance, 1e-7, 4e-7);
}

/// The rung's pairs that reach half of the tolerance need no further block.
bool run_krylov_on_tau(const ShortSideFirst& side, KrylovAim aim, std::int64_t rung,
                       double tolerance, Workspace& workspace) {
  const std::int64_t m = side.short_side;
  TauProducts products(side, workspace);
  const KrylovLook look{[&](std::int64_t width, const double* block, double* inner) {
                          products.within_block(width, block, inner);
                        },
                        [&] {
                          make_first_largest_positive(m, aim.count, workspace.vectors.data());
                          project_and_judge(side, rung, workspace);
                          return residual_through_tau(m, rung, workspace) <= 0.5 * tolerance;
                        }};
  aim.target = target_through_tau(tolerance);
  aim.look = &look;
  return krylov_eigenpairs(
      m, aim,
      [&](std::int64_t width, const double* block, double* image) {
        products.times_block(width, block, image);
      },
      workspace.krylov, workspace);
}

/// The pairs of K: rounding to integers left them wrong by about as much.
bool run_krylov_on_integers(const ShortSideFirst& side, std::int64_t count, Workspace& workspace) {
  constexpr double kTarget = 1e-5;
  const std::int64_t m = side.short_side;
  return krylov_eigenpairs(
      m, {count, kTarget},
      [&](std::int64_t width, const double* block, double* image) {
        rounded_times_block(m, width, block, image, workspace);
      },
      workspace.coarse.space, workspace);
}

/// The pair after the rung's, which only shows the gap, stays as K has it.
bool run_krylov16(const ShortSideFirst& side, std::int64_t count, double tolerance,
                  Workspace& workspace) {
  const std::int64_t rung = count - 1;
  if (!run_krylov_on_integers(side, count, workspace)) return false;
  Coarse& coarse = workspace.coarse;
  coarse.without =
      rounded_norm_without(side.short_side, std::min(rung, coarse.space.pairs), workspace);
  const double next = workspace.values.data()[rung];
  const KrylovAim aim{.count = rung, .start = workspace.vectors.data()};
  if (!run_krylov_on_tau(side, aim, rung, tolerance, workspace)) return false;
  workspace.values.data()[rung] = next;
  return true;
}

bool run_krylov_on_gram(std::int64_t m, std::int64_t count, Workspace& workspace) {
  const double* gram = workspace.gram.data();
  return krylov_eigenpairs(
      m, {count, 1e-10},
      [&](std::int64_t width, const double* block, double* image) {
        symmetric_times_block({gram, m}, width, block, image, workspace);
      },
      workspace.krylov, workspace);
}

bool run(Solver solver, const ShortSideFirst& side, std::int64_t count, double tolerance,
         Workspace& workspace) {
  switch (solver) {
    case Solver::krylov16:
      return run_krylov16(side, count, tolerance, workspace);
    case Solver::krylov32:
      return run_krylov_on_tau(side, {.count = count}, count - 1, tolerance, workspace);
    case Solver::krylov:
      mirror(side.short_side, workspace.gram.data());
      return run_krylov_on_gram(side.short_side, count, workspace);
    case Solver::dsyevr:
      return run_dsyevr(side.short_side, count, workspace);
    case Solver::dsyevd:
      return run_dsyevd_vectors(side.short_side, count, workspace);
    case Solver::dgesdd:
      return run_dgesdd(side, count, workspace);
    case Solver::cuda_krylov_gram32:
    case Solver::cuda_krylov:
    case Solver::cuda_syevd:
    case Solver::cuda_gesvdp:
    case Solver::cuda_gesvdj:
      break;  // DeviceEngine's
  }
  return false;
}

}  // namespace

std::string method_name(Solver solver) {
  switch (solver) {
    case Solver::krylov16:
      return "host:krylov16";
    case Solver::krylov32:
      return "host:krylov32";
    case Solver::krylov:
      return "host:krylov";
    case Solver::dsyevr:
      return "host:dsyevr";
    case Solver::dsyevd:
      return "host:dsyevd";
    case Solver::dgesdd:
      return "host:dgesdd";
    case Solver::cuda_krylov_gram32:
      return "cuda:krylov-gram32";
    case Solver::cuda_krylov:
      return "cuda:krylov";
    case Solver::cuda_syevd:
      return "cuda:syevd";
    case Solver::cuda_gesvdp:
      return "cuda:gesvdp";
    case Solver::cuda_gesvdj:
      return "cuda:gesvdj";
  }
  return "none";
}

bool first_largest_is_negative(const double* vector, std::int64_t size) {
  float largest = 0;
  bool is_negative = false;
  for (std::int64_t i = 0; i < size; ++i) {
    const float magnitude = std::fabs(rules::round_f32(vector[i]));
    if (magnitude > largest) {
      largest = magnitude;
      is_negative = std::signbit(vector[i]);
    }
  }
  return is_negative;
}

double* copy_of_gram(std::int64_t short_side, Workspace& workspace) {
  double* copy = workspace.scratch.reserve(as_size(short_side * short_side));
  std::memcpy(copy, workspace.gram.data(), as_size(short_side * short_side) * sizeof(double));
  return copy;
}

bool largest_eigenpairs(Solver solver, const ShortSideFirst& side, std::int64_t count,
                        Workspace& workspace, double tolerance) {
  const std::int64_t m = side.short_side;
  if (!run(solver, side, count, tolerance, workspace)) return false;
  make_first_largest_positive(m, count, workspace.vectors.data());
  return true;
}

}  // namespace koine::lowrank
