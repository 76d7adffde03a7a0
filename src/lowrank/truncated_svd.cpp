#include "lowrank/truncated_svd.hpp"

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "core/shape.hpp"
#include "lowrank/host_engine.hpp"
#include "lowrank/rung_solver.hpp"

namespace koine::lowrank {
namespace {

constexpr std::array<std::int64_t, 5> kRungs{8, 16, 32, 64, 128};

Factors nothing_kept(const Engine& engine) {
  Factors factors;
  factors.rows = engine.rows();
  factors.cols = engine.cols();
  factors.is_transposed = is_transposed(factors.rows, factors.cols);
  factors.certified = true;
  factors.method = "none";
  factors.sigma.assign(engine.short_side() > 0 ? 1 : 0, 0.0);
  return factors;
}

/// The targets that a rung is solved for: this one, those that are to come, and those that a kept
/// rung has settled, for it will be replaced.
std::vector<RankTarget> targets_of(std::int64_t rung, std::int64_t full, const RankTarget& target,
                                   const RungStore* store, const Rung* kept) {
  std::vector<RankTarget> targets{target};
  if (store == nullptr) return targets;
  for (const RankTarget& other : store->also) {
    if (other.energy > 0 || (other.number.kept > 0 && other.number.kept < full &&
                             rung_of(other.number.kept, full) == rung))
      targets.push_back(other);
  }
  if (kept == nullptr) return targets;
  for (const RungAnswer& answer : kept->answers) {
    for (const Verdict& verdict : answer.verdicts) targets.push_back({{verdict.asked}, 0});
  }
  return targets;
}

/// What the store has of a rung, if it settles the target; else solved, and kept there.
Cut find_or_solve(Engine& engine, std::int64_t rung, const RankTarget& target,
                  const SvdOptions& options, const RungStore* store) {
  std::optional<Rung> kept;
  if (store != nullptr) kept = store->find(rung);
  if (kept) {
    Cut found = cut(*kept, target, options.mode);
    if (found.kind != Cut::Kind::unknown) return found;
  }
  const auto targets =
      targets_of(rung, engine.short_side(), target, store, kept ? &*kept : nullptr);
  const Rung solved =
      solve_rung(engine, rung, options, targets, store == nullptr ? Width::needed : Width::whole);
  if (store != nullptr) store->keep(solved);
  return cut(solved, target, options.mode);
}

}  // namespace

std::int64_t rung_of(std::int64_t kept, std::int64_t full) {
  for (const std::int64_t rung : kRungs) {
    if (kept <= rung && rung < full) return rung;
  }
  return full;
}

Factors truncated_svd(Engine& engine, const RankTarget& target, const SvdOptions& options,
                      const RungStore* store) {
  const std::int64_t full = engine.short_side();
  if (full == 0 || (target.energy <= 0 && target.number.kept <= 0) || engine.tau_squared() == 0)
    return nothing_kept(engine);
  std::int64_t least = target.energy > 0 ? 1 : std::min(target.number.kept, full);
  while (true) {
    Cut found = find_or_solve(engine, rung_of(least, full), target, options, store);
    if (found.kind == Cut::Kind::found && found.factors.kept > 0) return std::move(found.factors);
    if (found.kind != Cut::Kind::climbs) {
      throw Error(ExitCode::our_fault, "no solver found a singular value of a matrix of shape " +
                                           to_string(Shape{engine.rows(), engine.cols()}) +
                                           " that is not zero; please report this");
    }
    least = found.asked;
  }
}

Factors truncated_svd(MatrixView tau, const RankTarget& target, const SvdOptions& options,
                      Workspace& workspace, const RungStore* store) {
  HostEngine engine(tau, workspace);
  return truncated_svd(engine, target, options, store);
}

}  // namespace koine::lowrank
