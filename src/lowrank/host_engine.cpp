#include "lowrank/host_engine.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "backend/elementwise.hpp"
#include "core/rules.hpp"
#include "lowrank/certificate.hpp"
#include "lowrank/gram32.hpp"
#include "lowrank/krylov.hpp"
#include "lowrank/rounded_gram.hpp"
#include "lowrank/rounded_proof.hpp"
#include "lowrank/through_tau.hpp"

namespace koine::lowrank {
namespace {

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

}  // namespace

// No scaling is needed before squaring: the square of the smallest and of the largest float32,
// summed over any matrix that fits in memory, lie well inside the range of float64 (1e-90 to 1e90).
HostEngine::HostEngine(MatrixView tau, Workspace& workspace, std::optional<double> tau_squared)
    : Engine(tau.rows, tau.cols),
      side_(tau),
      workspace_(workspace),
      tau_squared_(tau_squared ? *tau_squared : backend::sum_of_squares(tau.flat())) {}

std::vector<Solver> HostEngine::solvers(std::int64_t rung, const SvdOptions& options) const {
  static constexpr std::array kFast{Solver::krylov32, Solver::dsyevr, Solver::dsyevd,
                                    Solver::dgesdd};
  static constexpr std::array kCertified{Solver::krylov16, Solver::krylov, Solver::dsyevr,
                                         Solver::dsyevd, Solver::dgesdd};
  const bool is_fast = options.mode == Mode::fast;
  std::span<const Solver> all =
      is_fast ? std::span<const Solver>(kFast) : std::span<const Solver>(kCertified);
  const bool float32_will_do = options.tolerance >= kFloat32Tolerance &&
                               squares_fit_float32(rows() * cols(), tau_squared_) &&
                               (is_fast || fits_rounding(side_));
  if (options.mode == Mode::exact)
    all = all.last(2);
  else if (!prefers_krylov(short_side(), rung))
    all = all.last(3);
  else if (!float32_will_do)
    all = all.subspan(1);
  return {all.begin(), all.end()};
}

bool HostEngine::find_pairs(Solver solver, std::int64_t rung, double tolerance) {
  if (!is_judged_by_tau(solver)) make_gram(Gram::float64);
  if (solver == Solver::krylov16 && !has_integers_) {
    rounded_gram(side_, workspace_);
    has_integers_ = true;
  }
  solver_ = solver;
  rung_ = rung;
  const std::int64_t count = std::min(rung + 1, short_side());
  if (!largest_eigenpairs(solver, side_, count, workspace_, tolerance)) return false;
  if (is_judged_by_tau(solver)) judge(rung, count);
  return true;
}

/// The value after the rung's is no larger than what tau says is left.
void HostEngine::judge(std::int64_t rung, std::int64_t count) {
  if (!workspace_.krylov.is_judged) project_and_judge(side_, rung, workspace_);
  if (count == rung) return;
  double* values = workspace_.values.data();
  double left = tau_squared_;
  for (std::int64_t i = 0; i < rung; ++i) left -= values[i];
  values[rung] = std::clamp(left, 0.0, std::max(values[rung], 0.0));
}

void HostEngine::make_gram(Gram wanted) {
  if (gram_ == wanted) return;
  if (wanted == Gram::float32) {
    gram_matrix_float32(side_, workspace_);
  } else {
    gram_matrix(side_, workspace_);
  }
  gram_ = wanted;
}

std::int64_t HostEngine::blocks() const {
  const std::int64_t first = solver_ == Solver::krylov16 ? workspace_.coarse.space.blocks : 0;
  return is_krylov(solver_) ? first + workspace_.krylov.blocks : 0;
}

double HostEngine::residual(std::int64_t kept) {
  return is_judged_by_tau(solver_) ? residual_through_tau(short_side(), kept, workspace_)
                                   : largest_residual(short_side(), kept, workspace_);
}

double HostEngine::orthogonality_defect(std::int64_t kept) {
  return lowrank::orthogonality_defect(short_side(), kept, workspace_);
}

bool HostEngine::nothing_outside(double c, std::int64_t kept) {
  if (solver_ == Solver::krylov16)
    return no_more_above(bound_for_count(c, kept), short_side(), kept, rung_, workspace_);
  if (solver_ == Solver::krylov32 || !is_krylov(solver_)) return false;
  return nothing_missed_outside(c, short_side(), kept, workspace_);
}

// As many eigenvalues of G as pairs are kept lie no lower than the least of their values less what
// the pairs lack (Kahan): all that is left to show is that no more than these lie above g. What the
// residuals themselves round is less than the last term.
double HostEngine::bound_for_count(double c, std::int64_t kept) {
  const double* values = workspace_.values.data();
  const auto pairs = static_cast<double>(kept);
  const double lacks = std::sqrt(pairs) * residual(kept) + 4 * pairs * orthogonality_defect(kept);
  const double least = *std::min_element(values, values + kept);
  return std::min(c, least - lacks * values[0] - rounding_floor(long_side(), tau_squared_));
}

bool HostEngine::nothing_above(double c, std::int64_t kept) {
  if (solver_ == Solver::krylov16 && gram_ == Gram::none &&
      no_more_above_by_cholesky(bound_for_count(c, kept), short_side(), kept, workspace_))
    return true;
  if (is_judged_by_tau(solver_)) {
    make_gram(Gram::float32);
    c -= float32_gram_error(rows() * cols(), tau_squared_);
  }
  return c > 0 && nothing_missed_above(c, short_side(), kept, workspace_);
}

void HostEngine::take_factors(std::int64_t rung, std::int64_t width, RungAnswer& answer) {
  const std::int64_t m = short_side();
  const double* vectors = workspace_.vectors.data();
  answer.u.resize(as_size(m * width));
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t k = 0; k < width; ++k)
      answer.u[as_size(i * width + k)] = rules::round_f32(vectors[k * m + i]);
  }
  answer.b.resize(as_size(width * long_side()));
  if (!is_judged_by_tau(solver_)) project(side_, rung, workspace_);
  round_projection(long_side(), answer.b, workspace_);
}

}  // namespace koine::lowrank
