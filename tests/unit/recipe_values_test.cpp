#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "recipe/values.hpp"
#include "support/recipe_file.hpp"

namespace koine::recipe {
namespace {

using test::plain_recipe;
using test::RecipeFolder;

constexpr TensorPlace kOutside{.openai_name = "encoder.conv1.weight",
                               .hf_name = "model.encoder.conv1.weight"};

TensorPlace mlp(std::int64_t layer, std::int64_t layers) {
  return {"decoder.blocks.3.mlp.0.weight", "model.decoder.layers.3.fc1.weight", true, layer,
          layers};
}

ParameterValue density(const std::string& value) {
  const RecipeFolder folder;
  return folder.read(plain_recipe("lors", 1, "parameters:\n  density: " + value + "\n")).density;
}

TEST(ParameterValue, AGradientRunsOverTheLayersOfAStack) {
  const ParameterValue value = density("[0.0, 1.0, 0.5]");
  // Anchors at 0, 1/2 and 1 of a stack of five layers: exact in binary.
  const double expected[] = {0.0, 0.5, 1.0, 0.75, 0.5};
  for (int layer = 0; layer < 5; ++layer)
    EXPECT_EQ(value.at(mlp(layer, 5)), expected[layer]) << layer;
  EXPECT_EQ(value.at(mlp(0, 1)), 0.0) << "a stack of one layer takes the first";
  EXPECT_EQ(value.at(kOutside), 0.0);
}

TEST(ParameterValue, TheFirstEntryThatFitsWins) {
  const ParameterValue value = density(
      "[{filter: mlp, value: 0.5}, {filter: fc1, value: 0.6}, {filter: conv1, value: [0.1, 0.9]}, "
      "{value: 0.7}]");
  EXPECT_EQ(value.at(mlp(2, 6)), 0.5);
  EXPECT_EQ(value.at(kOutside), 0.1);
  EXPECT_EQ(
      value.at({.openai_name = "decoder.ln.weight", .hf_name = "model.decoder.layer_norm.weight"}),
      0.7);
  EXPECT_EQ(density("[{filter: fc1, value: 0.6}]").at(mlp(0, 2)), 0.6) << "HF names count too";
  EXPECT_EQ(density("[{filter: fc1, value: 0.6}]").at(kOutside), 0.2)
      << "the default where no filter fits";
  EXPECT_EQ(density("[{filter: '*', value: 0.6}, {value: 0.1}]"), constant(0.6));
}

TEST(ParameterValue, ANumberIsANumberInAnyOfYamlsSpellings) {
  for (const char* text :
       {"0.5", "5e-1", ".5", "+0.5", "'0.5'", "!!float 0.5", "[0.5]", "[{value: 0.5}]"}) {
    EXPECT_EQ(density(text), constant(0.5)) << text;
  }
  EXPECT_EQ(density("1"), constant(1));
}

TEST(ParameterValue, AModelsOwnValueGoesBeforeTheGlobalOne) {
  const RecipeFolder folder;
  const Recipe recipe = folder.read(R"(merge_method: lors
base_model: base
models:
- model: expert1
  parameters: {weight: [{filter: conv1, value: 5}], density: 0.4, rank: 3}
- model: expert2
parameters: {weight: 2, density: 0.3, rank: 9}
)");
  EXPECT_EQ(recipe.models[0].weight->at(kOutside), 5);
  EXPECT_EQ(recipe.models[0].weight->at(mlp(0, 2)), 2);
  EXPECT_EQ(recipe.models[1].weight->at(kOutside), 2);
  EXPECT_EQ(recipe.models[0].density->at(kOutside), 0.4);
  EXPECT_EQ(recipe.models[1].density, std::nullopt);
  EXPECT_EQ(recipe.models[0].rank->number.at(kOutside), 3);
  EXPECT_FALSE(recipe.models[1].rank.has_value());
  EXPECT_EQ(recipe.rank.number.at(kOutside), 9);
}

TEST(ParameterValue, RankTakesThreeForms) {
  const RecipeFolder folder;
  const auto rank = [&folder](const std::string& value) {
    return folder.read(plain_recipe("lors", 1, "parameters:\n  rank: " + value + "\n")).rank;
  };
  EXPECT_EQ(rank("7").number, constant(7));
  EXPECT_EQ(rank("7.0").number, constant(7));
  EXPECT_EQ(rank("0").kind, RankValue::Kind::number);
  EXPECT_EQ(rank("2.5%").kind, RankValue::Kind::share_of_width);
  EXPECT_EQ(rank("'2.5%'").share, 0.025);
  EXPECT_EQ(rank("{energy: 0.5}").kind, RankValue::Kind::energy);
  EXPECT_EQ(rank("{energy: 1}").share, 1.0);
  EXPECT_EQ(rank("[2, 8]").number.at(mlp(1, 3)), 5);
}

TEST(ParameterValue, BooleansAsMergekitTakesThem) {
  const RecipeFolder folder;
  for (const char* yes : {"true", "True", "1", "1.0", "yes", "on"}) {
    EXPECT_EQ(folder
                  .read(plain_recipe("task_arithmetic", 1,
                                     std::string("parameters: {normalize: ") + yes + "}\n"))
                  .normalize,
              true)
        << yes;
  }
  for (const char* no : {"false", "0", "0.0", "off", "No"}) {
    EXPECT_EQ(
        folder.read(plain_recipe("linear", 1, std::string("parameters: {normalize: ") + no + "}\n"))
            .normalize,
        false)
        << no;
  }
}

TEST(ParameterValue, PercentagesReadBackAsTheSameShare) {
  for (const double percent : {0.0, 0.1, 1.0, 2.5, 7.0, 29.0, 33.3, 100.0}) {
    const std::string text = percent_text(percent / 100);
    EXPECT_EQ(std::stod(text) / 100, percent / 100) << text;
    EXPECT_LE(text.size(), 5U) << text;
  }
}

}  // namespace
}  // namespace koine::recipe
