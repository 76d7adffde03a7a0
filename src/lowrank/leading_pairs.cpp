#include "lowrank/leading_pairs.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "core/error.hpp"
#include "core/shape.hpp"
#include "lowrank/certificate.hpp"
#include "lowrank/gram32.hpp"
#include "lowrank/krylov.hpp"
#include "lowrank/through_tau.hpp"

namespace koine::lowrank {
namespace {

// Far below half a unit of float32 (3e-8), to which U is rounded.
constexpr double kOrthogonalityLimit = 1e-10;
// A finer residual is not to be had of products in float32.
constexpr double kFloat32Tolerance = 2e-7;

/// The number asked for; of an energy target the fewest pairs above rounding whose theta add up to
/// its share of |tau|^2, rung + 1 where this rung's do not.
std::int64_t pairs_asked(const Problem& problem, const double* values) {
  const std::int64_t full = problem.side.short_side;
  if (problem.target.energy <= 0) return std::min(problem.target.number.kept, full);
  const double wanted = problem.target.energy * problem.tau_squared;
  const double floor = rounding_floor(full, values[0]);
  double sum = 0;
  for (std::int64_t i = 0; i < problem.rung; ++i) {
    if (i > 0 && (sum >= wanted || values[i] <= floor)) return i;
    sum += values[i];
  }
  return sum >= wanted || problem.rung == full ? problem.rung : problem.rung + 1;
}

/// The cheapest proof that holds; empty where none does.
const char* certify(const Problem& problem, const Solution& found, Workspace& workspace) {
  const std::int64_t m = problem.side.short_side;
  if (found.kept == m) return "energy";
  const double* values = workspace.values.data();
  const double floor = rounding_floor(m, values[0]);
  double last = values[found.kept - 1];
  if (found.kept < found.asked) {  // what is left is rounding
    double left = problem.tau_squared;
    for (std::int64_t i = 0; i < found.kept; ++i) left -= values[i];
    if (left <= rounding_floor(m, problem.tau_squared)) return "energy";
    last = floor;
  }
  // No more eigenvalues of G exceed the bound than of G + E exceed the bound - |E|_2 (Weyl).
  double bound = certificate_bound(last, floor);
  if (problem.gram == Gram::float32) bound -= float32_gram_error(problem.side, problem.tau_squared);
  if (is_krylov(found.solver) && nothing_missed_outside(bound, m, found.kept, workspace))
    return "remainder";
  return nothing_missed_above(bound, m, found.kept, workspace) ? "cholesky" : "";
}

/// The G that this solver works on.
void make_gram(Solver solver, Problem& problem, Workspace& workspace) {
  if (solver == Solver::krylov32) return;
  const Gram wanted = solver == Solver::krylov_gram32 ? Gram::float32 : Gram::float64;
  if (problem.gram == wanted) return;
  if (wanted == Gram::float32) {
    gram_matrix_float32(problem.side, workspace);
  } else {
    gram_matrix(problem.side, workspace);
  }
  problem.gram = wanted;
}

/// One solver's answer, checked. Triplets that float64 cannot tell from zero are dropped.
Solution attempt(Solver solver, Problem& problem, Workspace& workspace) {
  const std::int64_t m = problem.side.short_side;
  Solution found{.solver = solver, .count = std::min(problem.rung + 1, m)};
  make_gram(solver, problem, workspace);
  found.has_converged = largest_eigenpairs(solver, problem.side, found.count, workspace);
  if (!found.has_converged) return found;
  const double* values = workspace.values.data();
  const double floor = rounding_floor(m, values[0]);
  if (is_judged_by_tau(solver)) project_and_judge(problem.side, problem.rung, workspace);
  found.asked = pairs_asked(problem, values);
  if (found.asked > problem.rung) return found;
  while (found.kept < found.asked && values[found.kept] > floor) ++found.kept;
  if (found.kept == 0) return found;
  found.residual = is_judged_by_tau(solver) ? residual_through_tau(m, found.kept, workspace)
                                            : largest_residual(m, found.kept, workspace);
  found.is_accurate = found.residual <= problem.options.tolerance &&
                      orthogonality_defect(m, found.kept, workspace) <= kOrthogonalityLimit;
  if (is_krylov(solver)) found.blocks = workspace.krylov.blocks;
  if (problem.options.mode != Mode::fast && found.is_accurate) {
    found.certificate = certify(problem, found, workspace);
  }
  return found;
}

/// From the cheapest for this shape, rung and mode to the one that never fails.
std::span<const Solver> solvers_for(const Problem& problem) {
  static constexpr std::array kFast{Solver::krylov32, Solver::dsyevr, Solver::dsyevd,
                                    Solver::dgesdd};
  static constexpr std::array kCertified{Solver::krylov_gram32, Solver::krylov, Solver::dsyevr,
                                         Solver::dsyevd, Solver::dgesdd};
  const bool is_fast = problem.options.mode == Mode::fast;
  const std::span<const Solver> all =
      is_fast ? std::span<const Solver>(kFast) : std::span<const Solver>(kCertified);
  if (problem.options.mode == Mode::exact) return all.last(2);
  if (!prefers_krylov(problem.side.short_side, problem.rung)) return all.last(3);
  const bool float32_will_do = problem.options.tolerance >= kFloat32Tolerance &&
                               squares_fit_float32(problem.side, problem.tau_squared);
  return all.subspan(is_fast || float32_will_do ? 0 : 1);
}

/// The first solver whose answer passes; the last one's answer as it is where none does.
Solution solve(Problem& problem, Workspace& workspace) {
  const auto solvers = solvers_for(problem);
  Solution found;
  std::int64_t fallbacks = -1;
  for (const Solver solver : solvers) {
    const bool was_too_flat = is_krylov(found.solver) && !found.has_converged;
    if (was_too_flat && is_krylov(solver)) continue;
    found = attempt(solver, problem, workspace);
    found.fallbacks = ++fallbacks;
    if (found.asked > problem.rung) return found;
    if (found.is_accurate && (*found.certificate != 0 || problem.options.mode == Mode::fast)) break;
  }
  if (found.kept == 0) {
    throw Error(ExitCode::our_fault,
                "LAPACK found no singular value of a matrix of shape " +
                    to_string(Shape{problem.side.tau.rows, problem.side.tau.cols}) +
                    " that is not zero; please report this");
  }
  return found;
}

}  // namespace

Solution leading_pairs(Problem& problem, Workspace& workspace) {
  const std::int64_t full = problem.side.short_side;
  std::int64_t least = problem.target.energy > 0 ? 1 : std::min(problem.target.number.kept, full);
  while (true) {
    problem.rung = rung_of(least, full);
    const Solution found = solve(problem, workspace);
    if (found.asked <= problem.rung) return found;
    least = found.asked;
  }
}

}  // namespace koine::lowrank
