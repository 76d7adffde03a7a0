#include "pipeline/model_budget.hpp"

#include <bit>

#include <gtest/gtest.h>

namespace koine::pipeline {
namespace {

const Identity kHere{"recipe", "inputs", "machine"};

/// Two tensors, the second selected, two experts.
Plan plan() {
  Plan plan;
  plan.tensors.resize(2);
  plan.tensors[1].index = 1;
  plan.tensors[1].treatment = Treatment::pruned;
  plan.tensors[1].parts = Parts(std::vector<TensorPart>(2));
  return plan;
}

ModelBudget budget() {
  ModelBudget budget{std::vector<MatrixBudget>(2)};
  budget.matrices[1] = {{"base", "one", "two"}, {{7, 1, 5}, {0, 0, 0}}};
  return budget;
}

TEST(ModelBudget, ReadsBackFromItsText) {
  const auto read = budget_from(budget_text(budget(), kHere), plan(), kHere, ByArithmetic::own);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->matrices[1].inputs, budget().matrices[1].inputs);
  EXPECT_EQ(read->matrices[1].thresholds, budget().matrices[1].thresholds);
  EXPECT_TRUE(read->matrices[0].thresholds.empty());
}

TEST(ModelBudget, BelongsToOneMerge) {
  const std::string text = budget_text(budget(), kHere);
  EXPECT_FALSE(budget_from(text, plan(), {"other recipe", "inputs", "machine"}, ByArithmetic::any));
  EXPECT_FALSE(budget_from(text, plan(), {"recipe", "other inputs", "machine"}, ByArithmetic::any));
  EXPECT_FALSE(budget_from(text, plan(), {"recipe", "inputs", "other machine"}, ByArithmetic::own));
  EXPECT_TRUE(budget_from(text, plan(), {"recipe", "inputs", "other machine"}, ByArithmetic::any));
}

TEST(ModelBudget, DamageIsFound) {
  const std::string whole = budget_text(budget(), kHere);
  for (std::size_t i = 0; i + 1 < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(budget_from(damaged, plan(), kHere, ByArithmetic::own)) << "byte " << i;
    EXPECT_FALSE(budget_from(whole.substr(0, i), plan(), kHere, ByArithmetic::own))
        << "cut at " << i;
  }
}

TEST(ModelBudget, AgreesWithRecordsOfTheSameThresholds) {
  PlannedShard shard;
  shard.tensors = {1};
  store::ShardRecord record;
  record.tensors.resize(1);
  auto& experts = record.tensors[0].row.experts;
  experts.resize(2);
  experts[0].threshold = static_cast<double>(std::bit_cast<float>(std::uint32_t{7}));
  experts[0].ties = 1;
  experts[0].kept = 5;
  experts[1].ties = 0;
  EXPECT_TRUE(budget().agrees(record, shard));
  experts[0].ties = 2;
  EXPECT_FALSE(budget().agrees(record, shard));
  experts[0].method = "dense";  // not finite: it has no share
  EXPECT_TRUE(budget().agrees(record, shard));
}

}  // namespace
}  // namespace koine::pipeline
