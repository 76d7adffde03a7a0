#include "pipeline/sweep_search.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "pipeline/golden_section.hpp"
#include "pipeline/sweep_run.hpp"

namespace koine::pipeline {
namespace {

namespace fs = std::filesystem;

/// What earlier passes did is counted in.
void add_up(const SweepOutcome& earlier, SweepOutcome& now) {
  now.computed += earlier.computed;
  now.evaluated += earlier.evaluated;
  now.seconds += earlier.seconds;
}

double sign_of(const recipe::Sweep& sweep) {
  return sweep.evaluate && sweep.evaluate->is_goal_max ? -1 : 1;
}

/// The best `count` of these points, in their order; of equal ones the first.
std::vector<std::size_t> best_of(std::vector<std::size_t> points, std::size_t count, double sign,
                                 const std::vector<std::optional<double>>& metrics) {
  constexpr double kWorst = std::numeric_limits<double>::infinity();
  std::ranges::stable_sort(points, {},
                           [&](std::size_t i) { return metrics[i] ? sign * *metrics[i] : kWorst; });
  points.resize(std::min(count, points.size()));
  std::ranges::sort(points);
  return points;
}

}  // namespace

SweepOutcome search_golden(recipe::Sweep sweep, const fs::path& folder, const SweepOptions& options,
                           comm::Communicator& processes, const SweepWatcher& watcher) {
  const recipe::Search& search = *sweep.search;
  GoldenSection section(search.low, search.high);
  SweepOutcome outcome;
  for (std::int64_t i = 0; i < search.budget; ++i) {
    sweep.points.push_back(recipe::probe(search, section.next()));
    sweep.points.back().number = i + 1;
    SweepOutcome now =
        run_points(sweep, folder, options, {.is_last = i + 1 == search.budget}, processes, watcher);
    const auto metric = now.metrics.back();
    section.tell(metric ? std::optional(sign_of(sweep) * *metric) : std::nullopt);
    add_up(outcome, now);
    outcome = std::move(now);
  }
  return outcome;
}

SweepOutcome search_halving(const recipe::Sweep& sweep, const fs::path& folder,
                            const SweepOptions& options, comm::Communicator& processes,
                            const SweepWatcher& watcher) {
  const double factor = sweep.search->factor;
  const auto all = static_cast<double>(sweep.points.size());
  constexpr double kSlack = 1e-9;  // log(27) / log(3) is a little less than 3
  const int rounds = static_cast<int>(std::log(all) / std::log(factor) + kSlack) + 1;
  std::vector<std::size_t> left(sweep.points.size());
  std::iota(left.begin(), left.end(), std::size_t{0});
  SweepOutcome outcome;
  for (int i = 0; i < rounds; ++i) {
    const bool is_last = i + 1 == rounds;
    const SweepRound round{is_last, is_last ? "" : fmt::format("{}", i),
                           std::pow(factor, i + 1 - rounds), left};
    if (processes.is_root() && watcher.say)
      watcher.say(fmt::format("round {} of {}: {} points on {:.3g} of the data", i + 1, rounds,
                              left.size(), round.share));
    SweepOutcome now = run_points(sweep, folder, options, round, processes, watcher);
    add_up(outcome, now);
    const auto count = std::ceil(static_cast<double>(left.size()) / factor - kSlack);
    left = best_of(std::move(left), static_cast<std::size_t>(count), sign_of(sweep), now.metrics);
    outcome = std::move(now);
  }
  return outcome;
}

}  // namespace koine::pipeline
