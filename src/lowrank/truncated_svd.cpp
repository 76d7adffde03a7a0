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

namespace koine::lowrank {
namespace {

constexpr std::array<std::int64_t, 5> kRungs{8, 16, 32, 64, 128};
// Far below half a unit of float32 (3e-8), to which U is rounded.
constexpr double kOrthogonalityLimit = 1e-10;

struct Problem {
  const ShortSideFirst& side;
  const SvdOptions& options;
  double tau_squared = 0;
  std::int64_t asked = 0;
  std::int64_t rung = 0;
};

/// The leading pairs in workspace.values and .vectors, and what is known of them.
struct Solution {
  Solver solver = Solver::dsyevr;
  std::int64_t kept = 0;
  std::int64_t count = 0;  ///< pairs that were asked of the solver: rung + 1 where they exist
  double residual = std::numeric_limits<double>::infinity();
  bool is_accurate = false;
  bool is_certified = false;
};

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

bool certify(const Problem& problem, const Solution& found, Workspace& workspace) {
  const std::int64_t m = problem.side.short_side;
  if (found.kept == m) return true;
  const double* values = workspace.values.data();
  const double floor = rounding_floor(m, values[0]);
  if (found.kept == problem.asked) {
    const double bound = certificate_bound(values[found.kept - 1], floor);
    return nothing_missed_above(bound, m, found.kept, workspace);
  }
  double left = problem.tau_squared;
  for (std::int64_t i = 0; i < found.kept; ++i) left -= values[i];
  return left <= rounding_floor(m, problem.tau_squared) ||
         nothing_missed_above(certificate_bound(floor, floor), m, found.kept, workspace);
}

/// One solver's answer, checked. Triplets that float64 cannot tell from zero are dropped.
Solution attempt(Solver solver, const Problem& problem, Workspace& workspace) {
  const std::int64_t m = problem.side.short_side;
  Solution found{.solver = solver, .count = std::min(problem.rung + 1, m)};
  if (!largest_eigenpairs(solver, problem.side, found.count, workspace)) return found;
  const double* values = workspace.values.data();
  const double floor = rounding_floor(m, values[0]);
  while (found.kept < problem.asked && values[found.kept] > floor) ++found.kept;
  if (found.kept == 0) return found;
  found.residual = largest_residual(m, found.kept, workspace);
  found.is_accurate = found.residual <= problem.options.tolerance &&
                      orthogonality_defect(m, found.kept, workspace) <= kOrthogonalityLimit;
  if (problem.options.mode != Mode::fast && found.is_accurate) {
    found.is_certified = certify(problem, found, workspace);
  }
  return found;
}

/// The first solver whose answer passes; the last one's answer as it is where none does.
Solution solve(const Problem& problem, Workspace& workspace, std::int64_t& fallbacks) {
  constexpr std::array<Solver, 3> kSolvers{Solver::dsyevr, Solver::dsyevd, Solver::dgesdd};
  const auto solvers = std::span(kSolvers).subspan(problem.options.mode == Mode::exact ? 1 : 0);
  Solution found;
  for (const Solver solver : solvers) {
    if (solver != solvers.front()) ++fallbacks;
    found = attempt(solver, problem, workspace);
    if (found.is_accurate && (found.is_certified || problem.options.mode == Mode::fast)) break;
  }
  if (found.kept == 0) {
    throw Error(ExitCode::our_fault,
                "LAPACK found no singular value of a matrix of shape " +
                    to_string(Shape{problem.side.tau.rows, problem.side.tau.cols}) +
                    " that is not zero; please report this");
  }
  return found;
}

/// The fewest triplets whose theta add up to share * |tau|^2, among those that are not rounding.
std::int64_t rank_of_energy(double share, const ShortSideFirst& side, double tau_squared,
                            Workspace& workspace) {
  if (!all_eigenvalues(side, workspace)) return side.short_side;
  const double* values = workspace.values.data();
  const double floor = rounding_floor(side.short_side, values[0]);
  double sum = 0;
  std::int64_t kept = 0;
  while (kept < side.short_side && values[kept] > floor && sum < share * tau_squared) {
    sum += values[kept++];
  }
  return std::max<std::int64_t>(kept, 1);
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
  factors.certified = found.is_certified;
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
  Problem problem{.side = side, .options = options};
  problem.tau_squared = gram_matrix(side, workspace);
  if (problem.tau_squared == 0) return nothing_kept(side, 0);
  problem.asked = target.energy > 0
                      ? rank_of_energy(target.energy, side, problem.tau_squared, workspace)
                      : std::min(target.number.kept, full);
  problem.rung = rung_of(problem.asked, full);

  Factors factors = factors_of(side, problem.tau_squared);
  const Solution found = solve(problem, workspace, factors.fallbacks);
  fill_values(found, workspace.values.data(), factors);
  fill_factors(problem, workspace, factors);
  return factors;
}

}  // namespace koine::lowrank
