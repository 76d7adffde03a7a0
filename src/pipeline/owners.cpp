#include "pipeline/owners.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

namespace koine::pipeline {
namespace {

/// An exchange must leave the busier of two processes with at most so much of what it had.
constexpr double kGain = 0.999;

std::vector<std::size_t> by_cost(const std::vector<PlannedShard>& shards) {
  std::vector<std::size_t> order(shards.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return shards[a].cost != shards[b].cost ? shards[a].cost > shards[b].cost
                                            : shards[a].name < shards[b].name;
  });
  return order;
}

/// Seconds of every process.
std::vector<double> loads_of(const Plan& plan) {
  std::vector<double> load(static_cast<std::size_t>(plan.processes), 0.0);
  for (const PlannedShard& shard : plan.shards)
    load[static_cast<std::size_t>(shard.owner)] += shard.cost;
  return load;
}

/// A shard that goes to `taker`, and what is given for it, if anything.
struct Exchange {
  std::size_t shard = 0;
  int taker = 0;
  std::optional<std::size_t> for_it;
  double busier = 0;  ///< the larger load of the two afterwards
};

/// Of one shard of the busiest process, for one of another's or for none: the exchange that leaves
/// the busier of the two with least; ties by the order of shards and processes.
std::optional<Exchange> best_exchange(const std::vector<PlannedShard>& shards,
                                      const std::vector<double>& load) {
  const auto busiest = static_cast<int>(std::ranges::max_element(load) - load.begin());
  Exchange best{0, busiest, {}, kGain * std::ranges::max(load)};
  const auto consider = [&](std::size_t shard, int taker, std::optional<std::size_t> for_it) {
    const double moved = shards[shard].cost - (for_it ? shards[*for_it].cost : 0);
    const double busier = std::max(load[static_cast<std::size_t>(busiest)] - moved,
                                   load[static_cast<std::size_t>(taker)] + moved);
    if (busier < best.busier) best = {shard, taker, for_it, busier};
  };
  for (std::size_t shard = 0; shard < shards.size(); ++shard) {
    if (shards[shard].owner != busiest) continue;
    for (int taker = 0; taker < static_cast<int>(load.size()); ++taker) {
      if (taker != busiest) consider(shard, taker, std::nullopt);
    }
    for (std::size_t other = 0; other < shards.size(); ++other) {
      if (shards[other].owner != busiest) consider(shard, shards[other].owner, other);
    }
  }
  if (best.taker == busiest) return std::nullopt;
  return best;
}

void give_longest_first(Plan& plan) {
  std::vector<double> load(static_cast<std::size_t>(plan.processes), 0.0);
  for (const std::size_t index : by_cost(plan.shards)) {
    const auto lightest = std::ranges::min_element(load);
    plan.shards[index].owner = static_cast<int>(lightest - load.begin());
    *lightest += plan.shards[index].cost;
  }
}

}  // namespace

void assign_owners(Plan& plan, int processes) {
  plan.processes = processes;
  give_longest_first(plan);
  for (;;) {
    const auto exchange = best_exchange(plan.shards, loads_of(plan));
    if (!exchange.has_value()) return;
    int& owner = plan.shards[exchange->shard].owner;
    if (exchange->for_it.has_value()) plan.shards[*exchange->for_it].owner = owner;
    owner = exchange->taker;
  }
}

double Plan::seconds(int threads, const Rates& rates) const {
  std::vector<double> sharing(static_cast<std::size_t>(processes), 0.0), merging = sharing;
  for (const FactorTask& task : shared)
    sharing[static_cast<std::size_t>(task.owner)] += seconds_of(task.work, rates);
  for (const PlannedShard& shard : shards)
    merging[static_cast<std::size_t>(shard.owner)] += seconds_of(shard.work, rates);
  return (std::ranges::max(sharing) + std::ranges::max(merging)) / threads;
}

std::vector<std::size_t> Plan::shards_of(int rank) const {
  std::vector<std::size_t> mine;
  for (const std::size_t index : by_cost(shards)) {
    if (shards[index].owner == rank) mine.push_back(index);
  }
  return mine;
}

std::vector<std::size_t> Plan::shards_of_others(int rank) const {
  std::vector<std::size_t> others;
  for (int distance = 1; distance < processes; ++distance) {
    const std::vector<std::size_t> its = shards_of((rank + distance) % processes);
    others.insert(others.end(), its.rbegin(), its.rend());
  }
  return others;
}

}  // namespace koine::pipeline
