#include "lowrank/truncated_svd.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>

#include "core/error.hpp"
#include "core/rules.hpp"
#include "lowrank/certificate.hpp"
#include "lowrank/eigen.hpp"
#include "lowrank/gram.hpp"
#include "lowrank/krylov.hpp"

namespace koine::lowrank {
namespace {

constexpr std::array<std::int64_t, 5> kRungs{8, 16, 32, 64, 128};
// Far below half a unit of float32 (3e-8), to which U is rounded.
constexpr double kOrthogonalityLimit = 1e-10;

struct Problem {
  const ShortSideFirst& side;
  const RankTarget& target;
  const SvdOptions& options;
  double tau_squared = 0;
  std::int64_t rung = 0;
};

/// The leading pairs in workspace.values and .vectors, and what is known of them.
struct Solution {
  Solver solver = Solver::dsyevr;
  std::int64_t asked = 0;  ///< pairs that the target asks for; rung + 1: more than this rung has
  std::int64_t kept = 0;
  std::int64_t count = 0;  ///< pairs that were asked of the solver: rung + 1 where they exist
  double residual = std::numeric_limits<double>::infinity();
  bool is_accurate = false;
  const char* certificate = "";  ///< which proof holds; empty: none
  std::int64_t blocks = 0;       ///< of a Krylov basis
};

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

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
  const double bound = certificate_bound(last, floor);
  if (found.solver == Solver::krylov && nothing_missed_outside(bound, m, found.kept, workspace))
    return "remainder";
  return nothing_missed_above(bound, m, found.kept, workspace) ? "cholesky" : "";
}

/// One solver's answer, checked. Triplets that float64 cannot tell from zero are dropped.
Solution attempt(Solver solver, const Problem& problem, Workspace& workspace) {
  const std::int64_t m = problem.side.short_side;
  Solution found{.solver = solver, .count = std::min(problem.rung + 1, m)};
  if (!largest_eigenpairs(solver, problem.side, found.count, workspace)) return found;
  const double* values = workspace.values.data();
  const double floor = rounding_floor(m, values[0]);
  found.asked = pairs_asked(problem, values);
  if (found.asked > problem.rung) return found;
  while (found.kept < found.asked && values[found.kept] > floor) ++found.kept;
  if (found.kept == 0) return found;
  found.residual = largest_residual(m, found.kept, workspace);
  found.is_accurate = found.residual <= problem.options.tolerance &&
                      orthogonality_defect(m, found.kept, workspace) <= kOrthogonalityLimit;
  if (solver == Solver::krylov) found.blocks = workspace.krylov.blocks;
  if (problem.options.mode != Mode::fast && found.is_accurate) {
    found.certificate = certify(problem, found, workspace);
  }
  return found;
}

/// From the cheapest for this shape and rung to the one that never fails.
std::span<const Solver> solvers_for(const Problem& problem) {
  static constexpr std::array<Solver, 4> kSolvers{Solver::krylov, Solver::dsyevr, Solver::dsyevd,
                                                  Solver::dgesdd};
  const auto all = std::span(kSolvers);
  if (problem.options.mode == Mode::exact) return all.subspan(2);
  return all.subspan(prefers_krylov(problem.side.short_side, problem.rung) ? 0 : 1);
}

/// The first solver whose answer passes; the last one's answer as it is where none does.
Solution solve(const Problem& problem, Workspace& workspace, std::int64_t& fallbacks) {
  const auto solvers = solvers_for(problem);
  Solution found;
  for (const Solver solver : solvers) {
    if (solver != solvers.front()) ++fallbacks;
    found = attempt(solver, problem, workspace);
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

/// The lowest rung that has what the target asks for; G is the same on all of them.
Solution climb(Problem& problem, Workspace& workspace, std::int64_t& fallbacks) {
  const std::int64_t full = problem.side.short_side;
  std::int64_t least = problem.target.energy > 0 ? 1 : std::min(problem.target.number.kept, full);
  while (true) {
    problem.rung = rung_of(least, full);
    fallbacks = 0;
    const Solution found = solve(problem, workspace, fallbacks);
    if (found.asked <= problem.rung) return found;
    least = found.asked;
  }
}

void fill_values(const Solution& found, const double* values, Factors& factors) {
  for (std::int64_t i = 0; i < found.count; ++i) {
    factors.sigma.push_back(std::sqrt(std::max(values[i], 0.0)));
  }
  for (std::int64_t i = 0; i < found.kept; ++i) factors.energy += values[i];
  const auto sigma_at = [&](std::int64_t i) {
    return i < found.count ? factors.sigma[as_size(i)] : 0.0;
  };
  factors.gap = (sigma_at(found.kept - 1) - sigma_at(found.kept)) / sigma_at(0);
  factors.kept = found.kept;
  factors.residual = found.residual;
  factors.certified = *found.certificate != 0;
  factors.certificate = found.certificate;
  factors.iterations = found.blocks;
  factors.method = method_name(found.solver);
}

/// U and B = U^T A, each rounded once.
void fill_factors(const Problem& problem, Workspace& workspace, Factors& factors) {
  const std::int64_t m = problem.side.short_side, kept = factors.kept;
  const double* vectors = workspace.vectors.data();
  factors.u.resize(as_size(m * kept));
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t k = 0; k < kept; ++k) {
      factors.u[as_size(i * kept + k)] = rules::round_f32(vectors[k * m + i]);
    }
  }
  factors.b.resize(as_size(kept * problem.side.long_side));
  project(problem.side, problem.rung, factors.b, workspace);
}

Factors factors_of(const ShortSideFirst& side, double tau_squared) {
  Factors factors;
  factors.rows = side.tau.rows;
  factors.cols = side.tau.cols;
  factors.is_transposed = side.is_transposed;
  factors.tau_squared = tau_squared;
  return factors;
}

Factors nothing_kept(const ShortSideFirst& side, double tau_squared) {
  Factors factors = factors_of(side, tau_squared);
  factors.sigma.assign(side.short_side > 0 && tau_squared == 0 ? 1 : 0, 0.0);
  factors.certified = true;
  factors.method = "none";
  return factors;
}

}  // namespace

std::int64_t rung_of(std::int64_t kept, std::int64_t full) {
  for (const std::int64_t rung : kRungs) {
    if (kept <= rung && rung < full) return rung;
  }
  return full;
}

// No scaling is needed before squaring: the square of the smallest and of the largest float32,
// summed over any matrix that fits in memory, lie well inside the range of float64 (1e-90 to 1e90).
Factors truncated_svd(MatrixView tau, const RankTarget& target, const SvdOptions& options,
                      Workspace& workspace) {
  const ShortSideFirst side(tau);
  const std::int64_t full = side.short_side;
  if (full == 0 || (target.energy <= 0 && target.number.kept <= 0)) return nothing_kept(side, 0);
  Problem problem{.side = side, .target = target, .options = options};
  problem.tau_squared = gram_matrix(side, workspace);
  if (problem.tau_squared == 0) return nothing_kept(side, 0);

  Factors factors = factors_of(side, problem.tau_squared);
  const Solution found = climb(problem, workspace, factors.fallbacks);
  fill_values(found, workspace.values.data(), factors);
  fill_factors(problem, workspace, factors);
  return factors;
}

}  // namespace koine::lowrank
