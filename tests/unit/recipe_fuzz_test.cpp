#include <random>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "support/mutate.hpp"
#include "support/recipe_file.hpp"

namespace koine::recipe {
namespace {

const char* const kRecipe = R"(merge_method: lors
base_model: base
models:
  - model: expert1
    parameters: &p {weight: [0.5, 1.0], rank: 7}
  - model: expert2
    name: "de"
    parameters: {<<: *p, density: [{filter: mlp, value: 0.5}, {value: 0.1}]}
parameters:
  rank: {energy: 0.5}
  density: 0.2
select: [attention, "*.fc?.weight", '/decoder\.blocks\.[0-9]+\..*/']
others: average
out_dtype: float16
svd: {mode: certified, tolerance: 1e-6}
output: {path: runs/five, shards: layer}
)";

TEST(RecipeFuzz, FiveThousandMutationsReadOrSayWhy) {
  const test::RecipeFolder folder;
  static_cast<void>(folder.read(kRecipe));
  test::expect_read_or_refused({kRecipe}, 5000, "lors.yaml", 20240607,
                               [&](const std::string& text) {
                                 const Recipe recipe = folder.read(text);
                                 static_cast<void>(folder.read(canonical_yaml(recipe)));
                               });
}

}  // namespace
}  // namespace koine::recipe
