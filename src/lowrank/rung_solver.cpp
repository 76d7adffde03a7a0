#include "lowrank/rung_solver.hpp"

#include <algorithm>
#include <vector>

#include "lowrank/certificate.hpp"

namespace koine::lowrank {
namespace {

class RungSolver {
 public:
  RungSolver(Engine& engine, std::int64_t rung, const SvdOptions& options, Width width)
      : engine_(engine), options_(options), m_(engine.short_side()), width_(width) {
    found_.rows = engine.rows();
    found_.cols = engine.cols();
    found_.rung = rung;
    found_.tau_squared = engine.tau_squared();
  }

  Rung run(std::span<const RankTarget> targets) {
    open_.assign(targets.begin(), targets.end());
    const auto solvers = engine_.solvers(found_.rung, options_);
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
  /// One solver's answer, with a verdict on every open target; those that it settles are closed.
  void attempt(Solver solver, bool is_last) {
    RungAnswer& answer = found_.answers.emplace_back();
    answer.method = method_name(solver);
    answer.has_converged = engine_.find_pairs(solver, found_.rung, options_.tolerance);
    if (!answer.has_converged) return;
    answer.blocks = engine_.blocks();
    const double* values = engine_.values();
    answer.values.assign(values, values + std::min(found_.rung + 1, m_));
    std::int64_t needed = 0;
    std::erase_if(open_, [&](const RankTarget& target) {
      const std::int64_t asked = pairs_asked(found_, answer.values, target);
      if (asked > found_.rung) return true;
      if (answer.verdict(asked) == nullptr) answer.verdicts.push_back(judge(asked));
      const Verdict& verdict = *answer.verdict(asked);
      const bool passes = verdict.passes(options_.mode);
      if (passes || is_last) needed = std::max(needed, verdict.kept);
      return passes;
    });
    if (needed == 0) return;
    const std::int64_t width = width_ == Width::whole ? above_rounding(found_.rung) : needed;
    engine_.take_factors(found_.rung, width, answer);
  }

  /// So many of the rung's values float64 can tell from zero.
  [[nodiscard]] std::int64_t above_rounding(std::int64_t most) const {
    const double* values = engine_.values();
    const double floor = rounding_floor(m_, values[0]);
    std::int64_t kept = 0;
    while (kept < most && values[kept] > floor) ++kept;
    return kept;
  }

  Verdict judge(std::int64_t asked) {
    Verdict verdict{.asked = asked, .kept = above_rounding(asked)};
    if (verdict.kept == 0) return verdict;
    verdict.residual = engine_.residual(verdict.kept);
    verdict.is_accurate = verdict.residual <= options_.tolerance &&
                          engine_.orthogonality_defect(verdict.kept) <= kOrthogonalityLimit;
    if (options_.mode != Mode::fast && verdict.is_accurate) verdict.certificate = certify(verdict);
    return verdict;
  }

  /// The cheapest proof that holds; empty where none does.
  const char* certify(const Verdict& found) {
    if (found.kept == m_) return "energy";
    const double* values = engine_.values();
    const double floor = rounding_floor(m_, values[0]);
    double last = *std::min_element(values, values + found.kept);
    if (found.kept < found.asked) {  // what is left is rounding
      double left = found_.tau_squared;
      for (std::int64_t i = 0; i < found.kept; ++i) left -= values[i];
      if (left <= rounding_floor(m_, found_.tau_squared)) return "energy";
      last = floor;
    }
    const double bound = certificate_bound(last, floor);
    if (engine_.nothing_outside(bound, found.kept)) return "remainder";
    return engine_.nothing_above(bound, found.kept) ? "cholesky" : "";
  }

  Engine& engine_;
  const SvdOptions& options_;
  std::int64_t m_;
  Width width_;
  Rung found_;
  std::vector<RankTarget> open_;
};

}  // namespace

Rung solve_rung(Engine& engine, std::int64_t rung, const SvdOptions& options,
                std::span<const RankTarget> targets, Width width) {
  return RungSolver(engine, rung, options, width).run(targets);
}

}  // namespace koine::lowrank
