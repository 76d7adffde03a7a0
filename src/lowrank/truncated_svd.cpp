#include "lowrank/truncated_svd.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "backend/elementwise.hpp"
#include "core/rules.hpp"
#include "lowrank/gram.hpp"
#include "lowrank/leading_pairs.hpp"
#include "lowrank/through_tau.hpp"

namespace koine::lowrank {
namespace {

constexpr std::array<std::int64_t, 5> kRungs{8, 16, 32, 64, 128};
std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

void fill_values(const Solution& found, const double* values, Factors& factors) {
  for (std::int64_t i = 0; i < found.count; ++i) {
    factors.sigma.push_back(std::sqrt(std::max(values[i], 0.0)));
  }
  // Values that only rounding tells apart come in any order.
  std::sort(factors.sigma.begin(), factors.sigma.end(), std::greater<>());
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
  factors.fallbacks = found.fallbacks;
  factors.method = method_name(found.solver);
}

/// U and B = U^T A, each rounded once.
void fill_factors(const Problem& problem, bool is_projected, Workspace& workspace,
                  Factors& factors) {
  const std::int64_t m = problem.side.short_side, kept = factors.kept;
  const double* vectors = workspace.vectors.data();
  factors.u.resize(as_size(m * kept));
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t k = 0; k < kept; ++k) {
      factors.u[as_size(i * kept + k)] = rules::round_f32(vectors[k * m + i]);
    }
  }
  factors.b.resize(as_size(kept * problem.side.long_side));
  if (!is_projected) project(problem.side, problem.rung, workspace);
  round_projection(problem.side.long_side, factors.b, workspace);
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
  problem.tau_squared = backend::sum_of_squares(tau.flat());
  if (problem.tau_squared == 0) return nothing_kept(side, 0);

  Factors factors = factors_of(side, problem.tau_squared);
  const Solution found = leading_pairs(problem, workspace);
  fill_values(found, workspace.values.data(), factors);
  fill_factors(problem, is_judged_by_tau(found.solver), workspace, factors);
  return factors;
}

}  // namespace koine::lowrank
