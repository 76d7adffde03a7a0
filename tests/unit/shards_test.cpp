#include "pipeline/shards.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

namespace koine::pipeline {
namespace {

using recipe::ShardLayout;

TEST(Shards, AreNamedByTheTensorAlone) {
  EXPECT_EQ(shard_name("encoder.blocks.3.attn.query.weight", ShardLayout::layer), "encoder.003");
  EXPECT_EQ(shard_name("decoder.blocks.31.cross_attn_ln.bias", ShardLayout::layer), "decoder.031");
  EXPECT_EQ(shard_name("decoder.blocks.31.cross_attn_ln.bias", ShardLayout::fine),
            "decoder.031.cross_attn");
  EXPECT_EQ(shard_name("decoder.blocks.0.mlp.2.weight", ShardLayout::fine), "decoder.000.mlp");
  EXPECT_EQ(shard_name("decoder.blocks.0.attn_ln.weight", ShardLayout::fine), "decoder.000.attn");
  EXPECT_EQ(shard_name("decoder.token_embedding.weight", ShardLayout::fine), "rest");
}

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
