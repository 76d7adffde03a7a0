#include <gtest/gtest.h>

#include "recipe/recipe.hpp"
#include "support/recipe_file.hpp"

namespace koine::recipe {
namespace {

using test::plain_recipe;
using test::RecipeFolder;

TEST(RecipeBudget, NeedsADensity) {
  const RecipeFolder folder;
  EXPECT_EQ(folder.read(plain_recipe("mp", 1, "")).density_over, DensityOver::matrix);
  const Recipe svp = folder.read(plain_recipe("svp", 1, "density_over: model\n"));
  EXPECT_EQ(svp.density_over, DensityOver::matrix);
  EXPECT_EQ(svp.warnings.size(), 1U);
}

}  // namespace
}  // namespace koine::recipe
