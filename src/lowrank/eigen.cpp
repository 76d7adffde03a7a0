#include "lowrank/eigen.hpp"

#include <algorithm>
#include <cmath>

#include "core/rules.hpp"
#include "lowrank/krylov.hpp"
#include "lowrank/lapack_pairs.hpp"
#include "lowrank/rounded_products.hpp"
#include "lowrank/symmetric.hpp"
#include "lowrank/tau_block.hpp"
#include "lowrank/through_tau.hpp"

namespace koine::lowrank {
namespace {

void make_first_largest_positive(double* vector, std::int64_t size) {
  if (!first_largest_is_negative(vector, size)) return;
  for (std::int64_t i = 0; i < size; ++i) vector[i] = -vector[i];
}

void make_first_largest_positive(std::int64_t size, std::int64_t count, double* vectors) {
  for (std::int64_t i = 0; i < count; ++i) make_first_largest_positive(vectors + i * size, size);
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
      return pairs_by_dsyevr(side.short_side, count, workspace);
    case Solver::dsyevd:
      return pairs_by_dsyevd(side.short_side, count, workspace);
    case Solver::dgesdd:
      return pairs_by_dgesdd(side, count, workspace);
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

bool largest_eigenpairs(Solver solver, const ShortSideFirst& side, std::int64_t count,
                        Workspace& workspace, double tolerance) {
  const std::int64_t m = side.short_side;
  if (!run(solver, side, count, tolerance, workspace)) return false;
  make_first_largest_positive(m, count, workspace.vectors.data());
  return true;
}

}  // namespace koine::lowrank
