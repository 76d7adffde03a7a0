#include "pipeline/factor_tasks.hpp"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "checkpoint/names.hpp"
#include "pipeline/shards.hpp"

namespace koine::pipeline {
namespace {

/// Two shards: one of a small matrix, one of `large` columns; headers only.
struct Made {
  recipe::Recipe recipe;
  Inputs inputs;
  Made(int experts, std::int64_t large) {
    recipe.merge_method = "lors";
    recipe.select = {"mlp"};
    recipe.rank.number = {{{"", {7.0}}}};
    recipe.rank.kind = recipe::RankValue::Kind::number;
    recipe.density = {{{"", {0.2}}}};
    recipe.lambda = {{{"", {0.5}}}};
    inputs.base = header(large);
    for (int t = 0; t < experts; ++t)
      inputs.experts.push_back(
          shortened({"e", "e", "e" + std::to_string(t), {}, {}, {}}, inputs.base, header(large)));
  }
  static checkpoint::Checkpoint header(std::int64_t large) {
    checkpoint::Checkpoint h;
    h.path = "model";
    h.tensors.push_back({"encoder.blocks.0.mlp.0.weight", "", DType::f32, {512, 512}, 0, 0, {}});
    h.tensors.push_back({"decoder.blocks.0.mlp.0.weight", "", DType::f32, {512, large}, 0, 0, {}});
    checkpoint::finish_header(h);
    return h;
  }
  [[nodiscard]] Plan plan(int processes) const { return make_plan(recipe, inputs, processes); }
};

TEST(FactorTasks, AreSharedOnlyWhereThatIsSooner) {
  const Made made(5, 8192);
  EXPECT_TRUE(made.plan(1).shared.empty());
  EXPECT_TRUE(Made(5, 512).plan(2).shared.empty());  // a shard each, of the same work
  const Plan shared = made.plan(16);
  EXPECT_FALSE(shared.shared.empty());
  EXPECT_LT(shared.seconds(1, common_rates()), made.plan(2).seconds(1, common_rates()));
  Made without(5, 8192);
  without.recipe.merge_method = "mp";  // no factors
  EXPECT_TRUE(without.plan(16).shared.empty());
  EXPECT_EQ(without.plan(16).bytes_factors, 0);
}

TEST(FactorTasks, HoldEveryMatrixAndExpertOnce) {
  for (const int experts : {3, 5, 40}) {
    const Plan plan = Made(experts, 8192).plan(16);
    std::map<std::size_t, std::set<std::size_t>> seen;
    std::size_t count = 0;
    for (const FactorTask& task : plan.shared) {
      for (std::size_t t = task.first; t < task.last; ++t, ++count) seen[task.tensor].insert(t);
    }
    EXPECT_EQ(count, static_cast<std::size_t>(2 * experts));
    for (const auto& [tensor, pairs] : seen)
      EXPECT_EQ(pairs.size(), static_cast<std::size_t>(experts));
  }
}

TEST(FactorTasks, AreSpreadEvenly) {
  const Plan plan = Made(40, 4096).plan(8);
  ASSERT_FALSE(plan.shared.empty());
  std::vector<double> load(8, 0.0);
  double largest = 0, total = 0;
  for (const FactorTask& task : plan.shared) {
    const double seconds = seconds_of(task.work, common_rates());
    load[static_cast<std::size_t>(task.owner)] += seconds;
    largest = std::max(largest, seconds);
    total += seconds;
  }
  // A run of tasks between two cuts; each cut is off by at most half a task.
  for (const double seconds : load) EXPECT_NEAR(seconds, total / 8, largest);
}

TEST(FactorTasks, OfSomeShardsAreSpreadAnew) {
  const Plan plan = Made(40, 4096).plan(8);
  const auto tasks = tasks_in(plan, {true, false});  // the encoder's alone
  EXPECT_EQ(tasks.size(), 40U);
  std::set<int> owners;
  for (const FactorTask& task : tasks) owners.insert(task.owner);
  EXPECT_EQ(owners.size(), 8U);
}

TEST(FactorTasks, CountWhatIsReadTwiceAndKept) {
  const Made made(5, 8192);
  const Plan plan = made.plan(16);
  const std::int64_t matrices = 4 * (512 * 512 + 512 * 8192);
  // Every expert's matrix again, and the base's once per task: here one per expert.
  EXPECT_EQ(plan.bytes_in, made.plan(1).bytes_in + 2 * 5 * matrices);
  EXPECT_EQ(plan.bytes_factors, 5 * 4 * 8 * (512 + 512 + 512 + 8192));
}

}  // namespace
}  // namespace koine::pipeline
