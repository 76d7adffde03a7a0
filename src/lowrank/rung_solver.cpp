#include "lowrank/rung_solver.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "core/rules.hpp"
#include "lowrank/certificate.hpp"
#include "lowrank/eigen.hpp"
#include "lowrank/gram32.hpp"
#include "lowrank/krylov.hpp"
#include "lowrank/through_tau.hpp"

namespace koine::lowrank {
namespace {

// Far below half a unit of float32 (3e-8), to which U is rounded.
constexpr double kOrthogonalityLimit = 1e-10;
// A finer residual is not to be had of products in float32.
constexpr double kFloat32Tolerance = 2e-7;

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

class RungSolver {
 public:
  RungSolver(Problem& problem, std::int64_t rung, Width width, Workspace& workspace)
      : problem_(problem), m_(problem.side.short_side), width_(width), workspace_(workspace) {
    found_.rows = problem.side.tau.rows;
    found_.cols = problem.side.tau.cols;
    found_.rung = rung;
    found_.tau_squared = problem.tau_squared;
  }

  Rung run(std::span<const RankTarget> targets) {
    open_.assign(targets.begin(), targets.end());
    const auto solvers = this->solvers();
    bool was_too_flat = false;
    for (const Solver solver : solvers) {
      if (was_too_flat && is_krylov(solver)) continue;
      const bool is_last = solver == solvers.back();
      attempt(solver, is_last);
      found_.is_exhausted = is_last;
      if (open_.empty()) break;
      was_too_flat = is_krylov(solver) && !found_.answers.back().has_converged;
    }
    return std::move(found_);
  }

 private:
  /// From the cheapest for this shape, rung and mode to the one that never fails.
  [[nodiscard]] std::span<const Solver> solvers() const {
    static constexpr std::array kFast{Solver::krylov32, Solver::dsyevr, Solver::dsyevd,
                                      Solver::dgesdd};
    static constexpr std::array kCertified{Solver::krylov_gram32, Solver::krylov, Solver::dsyevr,
                                           Solver::dsyevd, Solver::dgesdd};
    const bool is_fast = problem_.options.mode == Mode::fast;
    const std::span<const Solver> all =
        is_fast ? std::span<const Solver>(kFast) : std::span<const Solver>(kCertified);
    if (problem_.options.mode == Mode::exact) return all.last(2);
    if (!prefers_krylov(m_, found_.rung)) return all.last(3);
    const bool float32_will_do = problem_.options.tolerance >= kFloat32Tolerance &&
                                 squares_fit_float32(problem_.side, problem_.tau_squared);
    return all.subspan(is_fast || float32_will_do ? 0 : 1);
  }

  /// One solver's answer, with a verdict on every open target; those that it settles are closed.
  void attempt(Solver solver, bool is_last) {
    RungAnswer& answer = found_.answers.emplace_back();
    answer.method = method_name(solver);
    make_gram(solver);
    const std::int64_t count = std::min(found_.rung + 1, m_);
    answer.has_converged = largest_eigenpairs(solver, problem_.side, count, workspace_);
    if (!answer.has_converged) return;
    if (is_krylov(solver)) answer.blocks = workspace_.krylov.blocks;
    if (is_judged_by_tau(solver)) project_and_judge(problem_.side, found_.rung, workspace_);
    answer.values.assign(workspace_.values.data(), workspace_.values.data() + count);
    std::int64_t needed = 0;
    std::erase_if(open_, [&](const RankTarget& target) {
      const std::int64_t asked = pairs_asked(found_, answer.values, target);
      if (asked > found_.rung) return true;
      if (answer.verdict(asked) == nullptr) answer.verdicts.push_back(judge(solver, asked));
      const Verdict& verdict = *answer.verdict(asked);
      const bool passes = verdict.passes(problem_.options.mode);
      if (passes || is_last) needed = std::max(needed, verdict.kept);
      return passes;
    });
    if (needed > 0) fill_factors(solver, needed, answer);
  }

  /// The G that this solver works on.
  void make_gram(Solver solver) {
    if (solver == Solver::krylov32) return;
    const Gram wanted = solver == Solver::krylov_gram32 ? Gram::float32 : Gram::float64;
    if (problem_.gram == wanted) return;
    if (wanted == Gram::float32) {
      gram_matrix_float32(problem_.side, workspace_);
    } else {
      gram_matrix(problem_.side, workspace_);
    }
    problem_.gram = wanted;
  }

  /// So many of the rung's values float64 can tell from zero.
  [[nodiscard]] std::int64_t above_rounding(std::int64_t most) const {
    const double* values = workspace_.values.data();
    const double floor = rounding_floor(m_, values[0]);
    std::int64_t kept = 0;
    while (kept < most && values[kept] > floor) ++kept;
    return kept;
  }

  Verdict judge(Solver solver, std::int64_t asked) {
    Verdict verdict{.asked = asked, .kept = above_rounding(asked)};
    if (verdict.kept == 0) return verdict;
    verdict.residual = is_judged_by_tau(solver) ? residual_through_tau(m_, verdict.kept, workspace_)
                                                : largest_residual(m_, verdict.kept, workspace_);
    verdict.is_accurate = verdict.residual <= problem_.options.tolerance &&
                          orthogonality_defect(m_, verdict.kept, workspace_) <= kOrthogonalityLimit;
    if (problem_.options.mode != Mode::fast && verdict.is_accurate)
      verdict.certificate = certify(solver, verdict);
    return verdict;
  }

  /// The cheapest proof that holds; empty where none does.
  const char* certify(Solver solver, const Verdict& found) {
    if (found.kept == m_) return "energy";
    const double* values = workspace_.values.data();
    const double floor = rounding_floor(m_, values[0]);
    double last = values[found.kept - 1];
    if (found.kept < found.asked) {  // what is left is rounding
      double left = problem_.tau_squared;
      for (std::int64_t i = 0; i < found.kept; ++i) left -= values[i];
      if (left <= rounding_floor(m_, problem_.tau_squared)) return "energy";
      last = floor;
    }
    // No more eigenvalues of G exceed the bound than of G + E exceed the bound - |E|_2 (Weyl).
    double bound = certificate_bound(last, floor);
    if (problem_.gram == Gram::float32)
      bound -= float32_gram_error(problem_.side, problem_.tau_squared);
    if (is_krylov(solver) && nothing_missed_outside(bound, m_, found.kept, workspace_))
      return "remainder";
    return nothing_missed_above(bound, m_, found.kept, workspace_) ? "cholesky" : "";
  }

  /// U and B = U^T A, each rounded once.
  void fill_factors(Solver solver, std::int64_t needed, RungAnswer& answer) {
    const std::int64_t width = width_ == Width::whole ? above_rounding(found_.rung) : needed;
    const double* vectors = workspace_.vectors.data();
    answer.u.resize(as_size(m_ * width));
    for (std::int64_t i = 0; i < m_; ++i) {
      for (std::int64_t k = 0; k < width; ++k)
        answer.u[as_size(i * width + k)] = rules::round_f32(vectors[k * m_ + i]);
    }
    answer.b.resize(as_size(width * problem_.side.long_side));
    if (!is_judged_by_tau(solver)) project(problem_.side, found_.rung, workspace_);
    round_projection(problem_.side.long_side, answer.b, workspace_);
  }

  Problem& problem_;
  std::int64_t m_;
  Width width_;
  Workspace& workspace_;
  Rung found_;
  std::vector<RankTarget> open_;
};

}  // namespace

Rung solve_rung(Problem& problem, std::int64_t rung, std::span<const RankTarget> targets,
                Width width, Workspace& workspace) {
  return RungSolver(problem, rung, width, workspace).run(targets);
}

}  // namespace koine::lowrank
