#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include <gtest/gtest.h>

#include "recipe/keys.hpp"
#include "support/recipe_file.hpp"

namespace koine::recipe {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Files of configs/ that are recipes: sweeps have a `recipe:` key instead of a method.
std::vector<fs::path> recipes() {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(test::test_source("../configs"))) {
    if (entry.is_regular_file() && text_of(entry.path()).find("merge_method:") != std::string::npos)
      found.push_back(entry.path());
  }
  return found;
}

TEST(RecipeConfigs, EachReadsBesideSynthesisedModels) {
  EXPECT_GE(recipes().size(), 6U);
  for (const fs::path& path : recipes()) {
    const test::RecipeFolder folder;
    EXPECT_EQ(folder.error(text_of(path)), "") << path;
  }
}

TEST(RecipePage, ItsTableHoldsExactlyTheKnownKeys) {
  const std::string page = text_of(test::test_source("../docs/reference/recipe.md"));
  std::set<std::string> listed, known;
  const std::regex row(R"(\n\| `([^`]+)` \|)");
  for (std::sregex_iterator at(page.begin(), page.end(), row), end; at != end; ++at)
    listed.insert((*at)[1]);
  for (const std::string& key : known_keys()) known.insert(key);
  for (const std::string& key : known)
    EXPECT_TRUE(listed.contains(key)) << key << " is not in the page's table";
  for (const std::string& key : listed)
    EXPECT_TRUE(known.contains(key)) << key << " is in the page but unknown";
}

TEST(RecipePage, ItsExamplesRead) {
  const std::string page = text_of(test::test_source("../docs/reference/recipe.md"));
  int count = 0;
  for (auto at = page.find("```yaml\n"); at != std::string::npos;
       at = page.find("```yaml\n", at + 1)) {
    const std::string example = page.substr(at + 8, page.find("\n```", at + 8) - at - 7);
    const test::RecipeFolder folder;
    EXPECT_EQ(folder.error(example), "") << example;
    ++count;
  }
  EXPECT_GE(count, 5);
}

}  // namespace
}  // namespace koine::recipe
