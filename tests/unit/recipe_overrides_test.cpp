#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "recipe/values.hpp"
#include "support/recipe_file.hpp"

namespace koine::recipe {
namespace {

using test::plain_recipe;
using test::RecipeFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string shown(const Recipe& recipe, const std::string& key) {
  for (const auto& setting : recipe.settings) {
    if (setting.key == key) return setting.value + " from " + setting.origin;
  }
  return "absent";
}

TEST(RecipeOverrides, ReplaceOrAddAnyKey) {
  const RecipeFolder folder;
  const Recipe recipe =
      folder.read(plain_recipe("lors", 2, "parameters: {rank: 3}\n"),
                  {"parameters.rank=7", "parameters.density=0.5", "svd.mode=exact", "select=[mlp]",
                   "models[1].parameters.weight=0.25", "models.0.name=first",
                   "parameters.rank={energy: 0.9}", "merge_method=svp", "output.path=a"},
                  "b");
  EXPECT_EQ(recipe.rank.kind, RankValue::Kind::energy) << "the last one wins";
  EXPECT_EQ(recipe.density.at({}), 0.5);
  EXPECT_EQ(recipe.svd_mode, SvdMode::exact);
  EXPECT_THAT(recipe.select, ElementsAre("mlp"));
  EXPECT_EQ(recipe.models[1].weight->at({}), 0.25);
  EXPECT_EQ(recipe.models[0].name, "first");
  EXPECT_EQ(recipe.merge_method, "svp");
  EXPECT_EQ(recipe.output_path, "b");
}

TEST(RecipeOverrides, AnEmptyValueMeansTheDefault) {
  const RecipeFolder folder;
  EXPECT_EQ(folder.read(plain_recipe("lors", 2, "out_dtype: float16\n"), {"out_dtype="}).out_dtype,
            std::nullopt);
  EXPECT_EQ(
      folder.read(plain_recipe("lors", 2, "parameters: {lambda: 3}\n"), {"parameters.lambda=null"})
          .lambda,
      constant(0.5));
}

TEST(RecipeOverrides, ErrorsNameTheOption) {
  const RecipeFolder folder;
  const std::string good = plain_recipe("lors", 2);
  EXPECT_EQ(folder.error(good, {"parameters.density=1.5"}),
            "--set parameters.density=1.5: density is 1.5, expected a number from 0 to 1");
  EXPECT_EQ(
      folder.error(good, {"parameters.densty=1"}),
      "--set parameters.densty=1: unknown key 'densty' in parameters (did you mean 'density'?)");
  EXPECT_THAT(folder.error(good, {"parameters.rank"}),
              HasSubstr("--set parameters.rank: expected KEY=VALUE"));
  EXPECT_THAT(folder.error(good, {"=3"}), HasSubstr("--set =3: expected KEY=VALUE"));
  EXPECT_THAT(
      folder.error(good, {"rank=3"}),
      HasSubstr("--set rank=3: unknown key 'rank' in the recipe; it belongs in parameters"));
  EXPECT_THAT(folder.error(good, {"models.2.name=x"}),
              HasSubstr("the list has 2 entries, counted from 0; there is no '2'"));
  EXPECT_THAT(folder.error(good, {"merge_method.x=1"}),
              HasSubstr("'x' is inside a value that has no keys"));
  EXPECT_THAT(folder.error(good, {"select=[a"}), HasSubstr("--set select=[a: is not valid YAML"));
  EXPECT_THAT(folder.error(good, {"seed=x", "others=y"}), HasSubstr("\n--set others=y: "));
}

TEST(RecipeOverrides, ReplaceAWrongValueOfTheFile) {
  const RecipeFolder folder;
  EXPECT_EQ(
      folder.error(plain_recipe("lors", 2, "parameters: {rank: -1}\n"), {"parameters.rank=1"}), "");
}

TEST(RecipeSettings, TellWhereEachCameFrom) {
  const RecipeFolder folder;
  const Recipe recipe =
      folder.read(plain_recipe("lors", 2,
                               "    parameters: {weight: 2}\nparameters:\n  density: 0.5\n"
                               "dtype: float16\n"),
                  {"parameters.rank=7"}, "runs/x");
  EXPECT_EQ(shown(recipe, "merge_method"), "lors from lors.yaml:1");
  EXPECT_EQ(shown(recipe, "parameters.rank"), "7 from --set");
  EXPECT_EQ(shown(recipe, "parameters.density"), "0.5 from lors.yaml:8");
  EXPECT_EQ(shown(recipe, "parameters.lambda"), "0.5 from default");
  EXPECT_EQ(shown(recipe, "models[1].model"), "expert2 from lors.yaml:5");
  EXPECT_EQ(shown(recipe, "models[1].parameters.weight"), "2.0 from lors.yaml:6");
  EXPECT_EQ(shown(recipe, "models[0].parameters.weight"), "1.0 from default");
  EXPECT_EQ(shown(recipe, "out_dtype"), "float16 from lors.yaml:9");
  EXPECT_EQ(shown(recipe, "output.path"), "runs/x from --output");
  EXPECT_EQ(shown(recipe, "svd.mode"), "certified from default");
}

TEST(RecipeSettings, CountModelsAsTheFileDoes) {
  const RecipeFolder folder;
  const Recipe recipe = folder.read(
      "merge_method: lors\nbase_model: base\nmodels:\n- model: base\n- model: expert1\n");
  EXPECT_EQ(shown(recipe, "models[1].model"), "expert1 from lors.yaml:5");
  EXPECT_EQ(shown(recipe, "models[0].model"), "absent");
}

}  // namespace
}  // namespace koine::recipe
