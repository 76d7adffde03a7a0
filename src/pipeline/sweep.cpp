#include "pipeline/sweep.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "pipeline/golden_section.hpp"
#include "pipeline/sweep_run.hpp"

namespace koine::pipeline {
namespace {

namespace fs = std::filesystem;

/// One probe after the other, each decided by the metric of those before: what is known already is
/// not evaluated again. Collective.
SweepOutcome search_golden(recipe::Sweep sweep, const fs::path& folder, const SweepOptions& options,
                           comm::Communicator& processes, const SweepWatcher& watcher) {
  const recipe::Search& search = *sweep.search;
  const double sign = sweep.evaluate->is_goal_max ? -1 : 1;
  GoldenSection section(search.low, search.high);
  SweepOutcome outcome;
  for (std::int64_t i = 0; i < search.budget; ++i) {
    sweep.points.push_back(recipe::probe(search, section.next()));
    sweep.points.back().number = i + 1;
    SweepOutcome now =
        run_points(sweep, folder, options, i + 1 == search.budget, processes, watcher);
    section.tell(now.last_metric ? std::optional(sign * *now.last_metric) : std::nullopt);
    now.computed += outcome.computed;
    now.evaluated += outcome.evaluated;
    now.seconds += outcome.seconds;
    outcome = std::move(now);
  }
  return outcome;
}

}  // namespace

SweepOutcome sweep(const recipe::Sweep& sweep, const fs::path& folder, const SweepOptions& options,
                   comm::Communicator& processes, const SweepWatcher& watcher) {
  using Method = recipe::Search::Method;
  if (sweep.search && sweep.search->method == Method::halving) {
    throw InputError(fmt::format(
        "{}: search: method halving is not in this version; random draws the same points",
        sweep.file));
  }
  if (sweep.search && sweep.search->method == Method::golden)
    return search_golden(sweep, folder, options, processes, watcher);
  return run_points(sweep, folder, options, true, processes, watcher);
}

}  // namespace koine::pipeline
