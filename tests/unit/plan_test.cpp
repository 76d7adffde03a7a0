#include "pipeline/plan.hpp"

#include <gtest/gtest.h>

#include "checkpoint/names.hpp"
#include "core/error.hpp"
#include "support/temporary_folder.hpp"

namespace koine::pipeline {
namespace {

/// A Whisper of two blocks per stack and width 64, headers only.
checkpoint::Checkpoint header(DType dtype = DType::f32) {
  checkpoint::Checkpoint h;
  h.path = "model";
  const auto add = [&](const std::string& name, Shape shape, DType type) {
    h.tensors.push_back({name, "", type, std::move(shape), 0, 0, {}});
  };
  add("encoder.conv1.weight", {64, 80, 3}, dtype);
  add("encoder.positional_embedding", {1500, 64}, dtype);
  add("decoder.token_embedding.weight", {1000, 64}, dtype);
  add("decoder.positional_embedding", {448, 64}, dtype);
  for (const char* block :
       {"encoder.blocks.0.", "encoder.blocks.1.", "decoder.blocks.0.", "decoder.blocks.1."}) {
    add(std::string(block) + "attn.query.weight", {64, 64}, dtype);
    add(std::string(block) + "attn.query.bias", {64}, dtype);
    add(std::string(block) + "mlp.0.weight", {256, 64}, dtype);
  }
  add("step", {1}, DType::i64);
  checkpoint::finish_header(h);
  return h;
}

recipe::ParameterValue number(double x) {
  return {{{"", {x}}}};
}

struct Made {
  recipe::Recipe recipe;
  Inputs inputs;
  explicit Made(const std::string& method, int experts = 2) {
    recipe.merge_method = method;
    recipe.select = {"attention", "mlp"};
    recipe.density = number(0.2);
    recipe.lambda = number(0.5);
    inputs.base = header();
    for (int t = 0; t < experts; ++t)
      inputs.experts.push_back(
          shortened({"e", "e", "e" + std::to_string(t), {}, {}, {}}, inputs.base, header()));
  }
  [[nodiscard]] Plan plan() const { return make_plan(recipe, inputs, 2); }
  [[nodiscard]] const PlannedTensor& of(const Plan& plan, const char* canonical) const {
    return plan.tensors[static_cast<std::size_t>(inputs.base.find(canonical) -
                                                 inputs.base.tensors.data())];
  }
};

TEST(Plan, TreatsTensorsByRoleAndType) {
  const Made made("lors");
  const Plan plan = made.plan();
  EXPECT_EQ(made.of(plan, "encoder.blocks.0.attn.query.weight").treatment, Treatment::pruned);
  EXPECT_EQ(made.of(plan, "encoder.blocks.0.attn.query.bias").treatment, Treatment::dense);  // 1-D
  EXPECT_EQ(made.of(plan, "decoder.token_embedding.weight").treatment, Treatment::dense);
  EXPECT_EQ(made.of(plan, "step").treatment, Treatment::copied);
  EXPECT_EQ(plan.matrices, 8 * 2);
  EXPECT_EQ(plan.shards.size(), 5U);
}

TEST(Plan, RankIsAShareOfTheWidthByDefault) {
  Made made("lors");
  made.recipe.rank.share = 0.29;  // floor(0.29 * 64) = 18
  EXPECT_EQ(made.of(made.plan(), "encoder.blocks.0.mlp.0.weight").parts[0].prune.rank.number.kept,
            18);
}

TEST(Plan, GradientsRunOverEachStack) {
  Made made("lors");
  made.recipe.lambda = {{{"", {0.0, 1.0}}}};
  const Plan plan = made.plan();
  EXPECT_EQ(made.of(plan, "encoder.blocks.0.mlp.0.weight").lambda, 0.0);
  EXPECT_EQ(made.of(plan, "encoder.blocks.1.mlp.0.weight").lambda, 1.0);
  EXPECT_EQ(made.of(plan, "decoder.token_embedding.weight").lambda,
            0.0);  // outside the blocks: the first
}

TEST(Plan, AnExpertsOwnParametersGoFirst) {
  Made made("lors");
  made.inputs.experts[1].entry.density = number(0.7);
  made.inputs.experts[1].entry.weight = recipe::ParameterValue{{{"mlp", {3.0}}, {"", {1.0}}}};
  const Plan plan = made.plan();
  const auto& parts = made.of(plan, "decoder.blocks.0.mlp.0.weight").parts;
  EXPECT_EQ(parts[0].prune.density, 0.2);
  EXPECT_EQ(parts[1].prune.density, 0.7);
  EXPECT_EQ(parts[1].weight, 3.0);
  EXPECT_EQ(made.of(plan, "decoder.blocks.0.attn.query.weight").parts[1].weight, 1.0);
}

TEST(Plan, OthersMayBeTheBaseOrTheMean) {
  Made made("lors");
  made.recipe.others = recipe::Others::base;
  EXPECT_EQ(made.of(made.plan(), "encoder.conv1.weight").treatment, Treatment::base);
  made.recipe.others = recipe::Others::average;
  const Plan plan = made.plan();
  EXPECT_EQ(made.of(plan, "encoder.conv1.weight").lambda, 1.0 / 2);
  EXPECT_EQ(made.of(plan, "encoder.blocks.0.mlp.0.weight").lambda, 0.5);
}

TEST(Plan, OneBudgetOverTheModelReadsTheMatricesAgain) {
  Made made("lors");
  const Plan per_matrix = made.plan();
  made.recipe.density_over = recipe::DensityOver::model;
  made.inputs.experts[1].entry.density = number(0.3);
  const Plan plan = made.plan();
  EXPECT_TRUE(per_matrix.densities.empty());
  EXPECT_EQ(plan.densities, (std::vector<double>{0.2, 0.3}));
  std::int64_t selected = 0;
  for (const auto& tensor : per_matrix.tensors)
    selected += tensor.treatment == Treatment::pruned ? tensor.bytes_in : 0;
  EXPECT_EQ(plan.bytes_in, per_matrix.bytes_in + kBudgetPasses * selected);
  EXPECT_EQ(plan.shards[0].bytes_searched, kBudgetPasses * 3 * 4 * (64 * 64 + 256 * 64));
}

TEST(Plan, OneBudgetOverTheModelNeedsOneDensity) {
  Made made("lors");
  made.recipe.density_over = recipe::DensityOver::model;
  made.inputs.experts[1].entry.density = recipe::ParameterValue{{{"mlp", {0.5}}, {"", {0.1}}}};
  EXPECT_NE(test::message_of([&] { (void)made.plan(); })
                .find("density_over: model needs one density per expert, but 'e1' has 0.1 at "
                      "'decoder.blocks.0.attn.query.weight' and 0.5 at "
                      "'decoder.blocks.0.mlp.0.weight'"),
            std::string::npos);
  made.recipe.density_over = recipe::DensityOver::matrix;
  EXPECT_TRUE(made.plan().densities.empty());
}

TEST(Plan, LinearDividesByTheWeights) {
  Made made("linear", 3);
  const Plan plan = made.plan();
  EXPECT_EQ(made.of(plan, "encoder.blocks.0.mlp.0.weight").treatment, Treatment::averaged);
  EXPECT_EQ(made.of(plan, "encoder.blocks.0.mlp.0.weight").divisor, 3.0);
}

TEST(Plan, ASelectorThatHitsNoMatrixIsRefused) {
  Made made("lors");
  made.recipe.select = {"attention", "norm"};
  EXPECT_NE(test::message_of([&] { (void)made.plan(); }).find("'norm' hits no matrix"),
            std::string::npos);
}

TEST(Plan, MemoryDoesNotGrowWithTheExperts) {
  const Made five("lors", 5), fifty("lors", 50);
  const auto few = static_cast<double>(five.plan().memory(five.inputs, 2));
  EXPECT_LT(static_cast<double>(fifty.plan().memory(fifty.inputs, 2)), few * 1.05);
}

TEST(Plan, NorWithOneBudgetOverTheModel) {
  Made five("lors", 5), fifty("lors", 50);
  five.recipe.density_over = fifty.recipe.density_over = recipe::DensityOver::model;
  const auto few = static_cast<double>(five.plan().memory(five.inputs, 2));
  EXPECT_LT(static_cast<double>(fifty.plan().memory(fifty.inputs, 2)), few * 1.05);
}

TEST(Plan, ThreadsGiveWayToTheLimit) {
  const Made made("lors");
  const Plan plan = made.plan();
  const std::int64_t one = plan.memory(made.inputs, 1), two = plan.memory(made.inputs, 2);
  EXPECT_LT(one, two);
  EXPECT_EQ(threads_within(plan, made.inputs, 4, 0), 4);
  EXPECT_EQ(threads_within(plan, made.inputs, 4, two), 2);
  EXPECT_THROW((void)threads_within(plan, made.inputs, 4, one - 1), InputError);
}

}  // namespace
}  // namespace koine::pipeline
