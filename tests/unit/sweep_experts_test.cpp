#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "recipe/sweep.hpp"
#include "recipe/values.hpp"
#include "support/sweep_file.hpp"

namespace koine::recipe {
namespace {

using test::settings_of;
using test::SweepFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// "ca 1, es 0.5": names and weights in the order of the sum.
std::string experts_of(const Recipe& recipe) {
  std::string text;
  for (const ModelEntry& model : recipe.models)
    text +=
        (text.empty() ? "" : ", ") + model.name + " " + number_text(model.weight->at({}).value());
  return text;
}

TEST(SweepExperts, ASubsetKeepsTheRecipesOrderAndItsDefaults) {
  const SweepFolder folder;
  const Sweep sweep = folder.read("grid: {experts: [[ca, de], [es, ca], [s]], lambda: [~, 1]}\n");
  EXPECT_EQ(settings_of(sweep.points[2]), "experts [es, ca]");
  EXPECT_THAT(sweep.points[2].experts.value(), ElementsAre("es", "ca"));
  const Recipe pair = recipe_of(sweep, sweep.points[2]);
  EXPECT_EQ(experts_of(pair), "ca 1, es 1");
  EXPECT_EQ(pair.lambda, constant(0.5)) << "one over the experts of the subset";
  EXPECT_EQ(recipe_of(sweep, sweep.points[3]).lambda, constant(1));
  EXPECT_EQ(experts_of(recipe_of(sweep, sweep.points[4])), "es 1") << "any unique ending serves";
}

TEST(SweepExperts, ASubsetIsTheRecipeOfThoseExpertsAlone) {
  const SweepFolder folder;
  const Sweep sweep = folder.read("points: [{experts: [es, ca]}]\n");
  const std::string subset = canonical_json(recipe_of(sweep, sweep.points[0]));
  folder.write_recipe(
      "merge_method: lors\nbase_model: base\nmodels:\n- {model: expert1, name: ca}\n"
      "- {model: expert3, name: es}\n");
  EXPECT_EQ(subset, canonical_json(read(sweep.recipe_path)));
  EXPECT_THAT(subset, Not(HasSubstr("expert2")));
}

TEST(SweepExperts, WeightsFollowTheOrderInWhichExpertsAreWritten) {
  const SweepFolder folder("task_arithmetic", "parameters: {weight: 9}\n");
  const Sweep sweep = folder.read(
      "points: [{weights: [1, 0.5, -2]}, {experts: [es, ca], weights: [0.30, 0.7]}, {}]\n");
  EXPECT_EQ(settings_of(sweep.points[1]), "weights [0.3, 0.7], experts [es, ca]")
      << "columns in the order in which the file first names them";
  EXPECT_EQ(experts_of(recipe_of(sweep, sweep.points[0])), "ca 1, de 0.5, es -2");
  EXPECT_EQ(experts_of(recipe_of(sweep, sweep.points[1])), "ca 0.7, es 0.3");
  EXPECT_EQ(experts_of(recipe_of(sweep, sweep.points[2])), "ca 9, de 9, es 9");
}

TEST(SweepExperts, TheBaseAmongTheModelsStays) {
  const SweepFolder folder;
  folder.write_recipe(
      "merge_method: linear\nbase_model: base\nmodels:\n- {model: expert1}\n- {model: expert2}\n"
      "- {model: base, parameters: {weight: 3}}\n- {model: expert3}\n");
  const Sweep sweep = folder.read("points: [{experts: [expert3, expert2], weights: [5, 7]}]\n");
  const Recipe recipe = recipe_of(sweep, sweep.points[0]);
  EXPECT_EQ(experts_of(recipe), "expert2 7, expert3 5");
  EXPECT_EQ(recipe.base_position, 1U);
  EXPECT_EQ(recipe.base_as_model->weight, constant(3));
  std::vector<std::string> keys;
  for (const auto& setting : recipe.settings) {
    if (setting.key.ends_with("].model")) keys.push_back(setting.key + " " + setting.value);
  }
  EXPECT_THAT(keys, ElementsAre("models[1].model expert2", "models[2].model base",
                                "models[3].model expert3"));
}

struct Bad {
  const char* rest;      ///< lines from 2 on
  const char* expected;  ///< the whole message, but "sweep.yaml:" before it
};

void PrintTo(const Bad& bad, std::ostream* out) {
  *out << bad.rest;
}

class SweepRefusesExperts : public ::testing::TestWithParam<Bad> {};

TEST_P(SweepRefusesExperts, ByName) {
  const SweepFolder folder;
  EXPECT_EQ(folder.error(GetParam().rest), std::string("sweep.yaml:") + GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Values, SweepRefusesExperts,
    ::testing::Values(
        Bad{"grid: {experts: [ca, de]}",
            "2:18: a subset of experts is 'ca', expected names such as [ca, de]\n"
            "sweep.yaml:2:22: a subset of experts is 'de', expected names such as [ca, de]"},
        Bad{"grid: {experts: [[ca, fr]]}", "2:23: no expert is called 'fr'; there are ca, de, es"},
        Bad{"grid: {experts: [[ca, a]]}", "2:23: expert 'ca' is named twice in this subset"},
        Bad{"grid: {experts: [[[ca]]]}", "2:19: an expert is a list, expected a text"},
        Bad{"grid: {weights: [1, 2]}",
            "2:18: a set of weights is 1, expected one number for each expert, such as [1, 0.5]\n"
            "sweep.yaml:2:21: a set of weights is 2, expected one number for each expert, such as "
            "[1, 0.5]"},
        Bad{"grid: {weights: [[1, x, 1]]}", "2:22: a weight is 'x', expected a finite number"},
        Bad{"grid: {weights: [[1, 2]]}",
            "2:18: weights [1, 2] holds 2 numbers for the recipe's experts, expected 3"},
        Bad{"grid: {experts: [[ca], [ca, de]], weights: [[1, 2]]}",
            "2:45: weights [1, 2] holds 2 numbers for the experts [ca], expected 1"}));

TEST(SweepExperts, AreCheckedWhereAPointIsMadeByHand) {
  const SweepFolder folder;
  const Sweep sweep = folder.read("points: [{}]\n");
  const auto message = [&](std::vector<std::string> experts, std::vector<double> weights) {
    const SweepPoint point{.settings = {},
                           .overrides = {},
                           .experts = std::move(experts),
                           .weights = std::move(weights)};
    return folder.short_message([&] { static_cast<void>(recipe_of(sweep, point)); });
  };
  EXPECT_EQ(message({"ca", "x"}, {1, 1}),
            "sweep.yaml: point: experts: no expert is called 'x'; there are ca, de, es");
  EXPECT_EQ(message({"ca", "a"}, {1, 1}), "sweep.yaml: point: experts: 'ca' is named twice");
  EXPECT_EQ(message({}, {}), "sweep.yaml: point: experts names no expert");
  EXPECT_EQ(message({"ca"}, {1, 2}),
            "sweep.yaml: point: weights holds 2 numbers for 1 experts; give one each");
}

}  // namespace
}  // namespace koine::recipe
