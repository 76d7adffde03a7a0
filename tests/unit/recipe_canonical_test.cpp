#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json.hpp"
#include "support/recipe_file.hpp"

namespace koine::recipe {
namespace {

using test::plain_recipe;
using test::RecipeFolder;

class RecipeCanonical : public ::testing::TestWithParam<std::string> {};

TEST_P(RecipeCanonical, YamlReadsBackAsTheSameRecipe) {
  const RecipeFolder folder;
  std::filesystem::create_directories(folder.path() / "a: b #c");
  const std::string text = GetParam();
  const Recipe first = folder.read(text);
  const Recipe second = folder.read(canonical_yaml(first));
  EXPECT_EQ(canonical_json(second), canonical_json(first)) << canonical_yaml(first);
  EXPECT_EQ(canonical_yaml(second), canonical_yaml(first));
  EXPECT_EQ(second.warnings, std::vector<std::string>{});
  EXPECT_EQ(second.lambda, first.lambda);
  EXPECT_EQ(second.base_listed, first.base_listed && first.merge_method == "linear");
}

INSTANTIATE_TEST_SUITE_P(
    Recipes, RecipeCanonical,
    ::testing::Values(
        plain_recipe("lors", 5),
        plain_recipe("svp", 3, "parameters: {rank: {energy: 0.9}, lambda: 1e-7}\n"),
        plain_recipe("mp", 2,
                     "parameters: {density: [0.1, 0.3], rank: 5}\nselect: ['*.fc1.weight', "
                     "'/a\\.b/', mlp]\n"),
        plain_recipe("task_arithmetic", 2,
                     "parameters: {weight: [{filter: mlp, value: [0, 1]}], normalize: true}\n"),
        plain_recipe(
            "lors", 3,
            "    parameters: {rank: [{filter: mlp, value: 3}], weight: -0.1}\n"
            "parameters: {rank: [2, 9]}\nseed: 18446744073709551615\nout_dtype: bfloat16\n"),
        plain_recipe(
            "lors", 1,
            "  - {model: 'a: b #c', name: 'yes'}\nparameters: {rank: '2.5%', density: 0}\n"),
        plain_recipe("mp", 2, "density_over: model\n"),
        plain_recipe("linear", 2, "  - model: base\n    parameters: {weight: 3}\n"),
        plain_recipe("lors", 2, "  - model: base\n"),
        std::string("merge_method: linear\nmodels: [{model: expert2}, {model: expert1}]\n")));

TEST(RecipeCanonicalJson, HasEveryDefaultAndNoOutputPath) {
  const RecipeFolder folder;
  const Recipe recipe =
      folder.read(plain_recipe("lors", 2, "output: {path: runs/x}\n"), {}, "runs/y");
  EXPECT_EQ(canonical_json(recipe), R"({
  "merge_method": "lors",
  "base_model": "base",
  "models": [
    {
      "model": "expert1",
      "name": "expert1",
      "parameters": {
        "weight": 1.0
      }
    },
    {
      "model": "expert2",
      "name": "expert2",
      "parameters": {
        "weight": 1.0
      }
    }
  ],
  "parameters": {
    "rank": "1%",
    "density": 0.2,
    "lambda": 0.5
  },
  "density_over": "matrix",
  "select": [
    "attention",
    "mlp"
  ],
  "others": "dense",
  "out_dtype": null,
  "semantics": "mergekit",
  "seed": 0,
  "svd": {
    "mode": "certified",
    "tolerance": 1e-06
  },
  "output": {
    "shards": "layer"
  }
}
)");
}

TEST(RecipeCanonicalJson, IsOneTextForOneMeaning) {
  const RecipeFolder folder;
  const std::string plain = canonical_json(folder.read(plain_recipe("lors", 2)));
  for (const std::string rest :
       {"parameters: {density: 0.20, rank: 1.0%, lambda: 5e-1}\n", "parameters: {density: [0.2]}\n",
        "parameters: {weight: [{filter: '*', value: 1}, {filter: mlp, value: 3}]}\n",
        "  - model: base\n", "dtype:\n", "select: [attention, mlp]\nothers: dense\n",
        "output: {path: elsewhere}\n"}) {
    EXPECT_EQ(canonical_json(folder.read(plain_recipe("lors", 2, rest))), plain) << rest;
  }
  EXPECT_NE(canonical_json(folder.read(plain_recipe("lors", 2, "others: base\n"))), plain);
  const Recipe arithmetic =
      folder.read(plain_recipe("task_arithmetic", 2, "others: base\nselect: [mlp]\n"));
  EXPECT_EQ(canonical_json(arithmetic),
            canonical_json(folder.read(plain_recipe("task_arithmetic", 2))));
  ASSERT_EQ(arithmetic.warnings.size(), 1U);
  EXPECT_NE(arithmetic.warnings[0].find("does not use select, others; ignored"), std::string::npos);
}

}  // namespace
}  // namespace koine::recipe
