#include "pipeline/owners.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace koine::pipeline {
namespace {

Plan plan_of(const std::vector<double>& costs) {
  Plan plan;
  for (std::size_t i = 0; i < costs.size(); ++i) {
    PlannedShard shard;
    shard.name = "s" + std::to_string(i);
    shard.cost = costs[i];
    plan.shards.push_back(shard);
  }
  return plan;
}

TEST(Owners, LongestFirst) {
  Plan plan = plan_of({1, 5, 2, 4});  // 5 | 4 | then 2 beside 4, 1 beside 5
  assign_owners(plan, 2);
  std::vector<int> owners;
  for (const auto& shard : plan.shards) owners.push_back(shard.owner);
  EXPECT_EQ(owners, (std::vector<int>{0, 0, 1, 1}));
  EXPECT_EQ(plan.shards_of(0), (std::vector<std::size_t>{1, 0}));
}

std::vector<double> loads_of(const Plan& plan) {
  std::vector<double> loads(static_cast<std::size_t>(plan.processes), 0.0);
  for (const auto& shard : plan.shards) loads[static_cast<std::size_t>(shard.owner)] += shard.cost;
  return loads;
}

TEST(Owners, ExchangeWhatLongestFirstLeavesUneven) {
  Plan plan = plan_of({5, 5, 4, 4, 3, 3, 3});  // longest first: 5 3 3 | 5 3 | 4 4
  assign_owners(plan, 3);
  EXPECT_EQ(loads_of(plan), (std::vector<double>{9, 9, 9}));
}

TEST(Owners, OfAWhisperSmallAreEven) {
  std::vector<double> costs{0.55};  // seconds: the rest, then decoder and encoder blocks
  for (int layer = 0; layer < 12; ++layer) costs.insert(costs.end(), {0.785, 0.583});
  for (const int processes : {2, 3, 4, 5}) {
    Plan plan = plan_of(costs);
    assign_owners(plan, processes);
    const auto loads = loads_of(plan);
    const double mean = std::accumulate(loads.begin(), loads.end(), 0.0) / processes;
    // Nothing is left that a block of one kind for one of the other would even out.
    EXPECT_LE(std::ranges::max(loads) - mean, 0.785 - 0.583) << processes;
    if (processes == 2) {
      EXPECT_LE(std::ranges::max(loads), 1.01 * mean);
    }
  }
}

TEST(Owners, AreTheSameEveryTimeAndWhateverTheCosts) {
  for (const auto& costs : {std::vector<double>{0, 0, 0, 0}, std::vector<double>{2, 1},
                            std::vector<double>{1, 1, 1, 1, 1, 1, 1}, std::vector<double>{}}) {
    for (const int processes : {1, 3, 9}) {
      Plan one = plan_of(costs), other = plan_of(costs);
      assign_owners(one, processes);
      assign_owners(other, processes);
      for (std::size_t i = 0; i < costs.size(); ++i) {
        EXPECT_EQ(one.shards[i].owner, other.shards[i].owner);
        EXPECT_LT(one.shards[i].owner, processes);
      }
    }
  }
}

TEST(Owners, ThoseOfOthersAreTakenFromTheEnd) {
  Plan plan = plan_of({6, 5, 4, 3, 2, 1});
  assign_owners(plan, 3);
  EXPECT_EQ(plan.shards_of(0), (std::vector<std::size_t>{0, 5}));
  EXPECT_EQ(plan.shards_of(1), (std::vector<std::size_t>{1, 4}));
  EXPECT_EQ(plan.shards_of(2), (std::vector<std::size_t>{2, 3}));
  EXPECT_EQ(plan.shards_of_others(0), (std::vector<std::size_t>{4, 1, 3, 2}));
  EXPECT_EQ(plan.shards_of_others(2), (std::vector<std::size_t>{5, 0, 4, 1}));
  assign_owners(plan, 1);
  EXPECT_TRUE(plan.shards_of_others(0).empty());
}

TEST(Owners, EveryShardHasOneAndTheBoundHolds) {
  for (const int processes : {1, 2, 3, 4, 7}) {
    Plan plan = plan_of({3, 3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 8});
    assign_owners(plan, processes);
    std::multiset<std::size_t> seen;
    double most = 0, total = 0;
    for (int rank = 0; rank < processes; ++rank) {
      double load = 0;
      for (const std::size_t index : plan.shards_of(rank)) {
        seen.insert(index);
        load += plan.shards[index].cost;
      }
      most = std::max(most, load);
      total += load;
    }
    EXPECT_EQ(seen.size(), plan.shards.size());
    EXPECT_EQ(std::set<std::size_t>(seen.begin(), seen.end()).size(), plan.shards.size());
    // Graham 1969: at most 4/3 - 1/(3p) times the optimum, which is at least the mean and the
    // largest shard.
    const double optimum = std::max(total / processes, 8.0);
    EXPECT_LE(most, optimum * (4.0 / 3 - 1.0 / (3 * processes)));
  }
}

}  // namespace
}  // namespace koine::pipeline
