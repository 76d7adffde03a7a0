#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "recipe/values.hpp"
#include "support/recipe_file.hpp"

namespace koine::recipe {
namespace {

using test::plain_recipe;
using test::RecipeFolder;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(RecipeDocument, AnchorsAndMergeKeysWork) {
  const RecipeFolder folder;
  const Recipe recipe = folder.read(R"(merge_method: lors
base_model: base
models:
- model: expert1
  parameters: &shared {weight: &w 0.5, density: 0.1}
- model: expert2
  parameters: *shared
- model: expert3
  parameters: {<<: *shared, density: 0.3}
parameters: {lambda: *w}
)");
  EXPECT_EQ(recipe.models[1].weight->at({}), 0.5);
  EXPECT_EQ(recipe.models[2].weight->at({}), 0.5);
  EXPECT_EQ(recipe.models[2].density->at({}), 0.3);
  EXPECT_EQ(recipe.lambda, constant(0.5));
}

TEST(RecipeDocument, AliasExpansionIsBounded) {
  const RecipeFolder folder;
  std::string bomb = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 9; ++j) bomb += (j == 0 ? "" : ", ") + before;
    bomb += "]\n";
  }
  EXPECT_THAT(folder.error(bomb), HasSubstr("more than 100000 values after expanding aliases"));
  EXPECT_THAT(folder.error("models: &a [*a]\n"),
              HasSubstr("lors.yaml:1:13: an alias inside the value it stands for"));
  EXPECT_THAT(folder.error("models: *nothing\n"), StartsWith("lors.yaml:1:9: is not valid YAML"));
}

TEST(RecipeDocument, DepthIsBounded) {
  const RecipeFolder folder;
  EXPECT_THAT(folder.error("models: " + std::string(100'000, '[')),
              HasSubstr("nested deeper than 32 levels"));
  EXPECT_THAT(folder.error(std::string(100'000, '{')), HasSubstr("nested deeper than 32 levels"));
  std::string dashes;
  for (int i = 0; i < 50'000; ++i) dashes += "- ";
  EXPECT_THAT(folder.error(dashes + "x"), HasSubstr("nested deeper than 32 levels"));
}

TEST(RecipeDocument, SizeIsBounded) {
  const RecipeFolder folder;
  EXPECT_THAT(folder.error(plain_recipe("lors", 1, "#" + std::string(1 << 20, 'x'))),
              HasSubstr("at most 1048576"));
  std::string keys;
  for (int i = 0; i < 2000; ++i) keys += "key" + std::to_string(i) + ": 1\n";
  EXPECT_THAT(folder.error(keys), HasSubstr("more than 1000 keys in one map"));
}

TEST(RecipeDocument, RepeatedKeysAreErrorsAtEveryLevel) {
  const RecipeFolder folder;
  EXPECT_EQ(folder.error(plain_recipe(
                "lors", 1,
                "    parameters: {weight: 1, weight: 2}\nbase_model: base\n"
                "svd: {mode: fast, mode: exact}\nparameters: {rank: {energy: 1, energy: 1}}\n")),
            "lors.yaml:5:29: key 'weight' stands twice (first at line 5); keep one\n"
            "lors.yaml:6:1: key 'base_model' stands twice (first at line 2); keep one\n"
            "lors.yaml:7:19: key 'mode' stands twice (first at line 7); keep one\n"
            "lors.yaml:8:32: key 'energy' stands twice (first at line 8); keep one");
}

TEST(RecipeDocument, ForeignTagsAndBytesAreRefused) {
  const RecipeFolder folder;
  EXPECT_THAT(folder.error(plain_recipe("lors", 1, "seed: !!python/object/apply:os.system [ls]\n")),
              HasSubstr("lors.yaml:5:7: YAML tag 'tag:yaml.org,2002:python/object/apply:os.system' "
                        "is not supported"));
  EXPECT_THAT(folder.error(plain_recipe("lors", 1, "seed: !mine 7\n")),
              HasSubstr("lors.yaml:5:7: YAML tag '!mine'"));
  EXPECT_THAT(folder.error(plain_recipe("lors", 1, "seed: \x04 7\n")),
              StartsWith("lors.yaml:5:7: control character 0x04"));
  EXPECT_THAT(folder.error(plain_recipe("lors", 1, "seed: \xFF\n")),
              StartsWith("lors.yaml:5:7: is not UTF-8 text"));
  EXPECT_THAT(folder.error(plain_recipe("lors", 1, "output: {path: \"a\\0b\"}\n")),
              HasSubstr("lors.yaml:5:16: 'a?b' holds"));
}

TEST(RecipeDocument, OneDocumentAndValidYaml) {
  const RecipeFolder folder;
  EXPECT_EQ(folder.error("---\n" + plain_recipe("lors", 1) + "...\n"), "");
  EXPECT_THAT(folder.error(plain_recipe("lors", 1, "---\nseed: 1\n")),
              HasSubstr("a second YAML document"));
  EXPECT_THAT(folder.error("merge_method: lors\n  base_model: x: y\n"),
              HasSubstr("is not valid YAML"));
  EXPECT_THAT(folder.error("? [a, b]\n: 1\n"), HasSubstr("lors.yaml:1:3: a key must be a word"));
}

}  // namespace
}  // namespace koine::recipe
