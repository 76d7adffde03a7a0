#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include <gtest/gtest.h>

#include "recipe/sweep.hpp"
#include "support/sweep_file.hpp"

namespace koine::recipe {
namespace {

std::string text_of(const std::string& name) {
  std::ifstream file(test::test_source("../" + name), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A folder where the recipe is the one of configs/.
const test::SweepFolder& folder() {
  static const test::SweepFolder kFolder;
  kFolder.write_recipe(text_of("configs/lors.yaml"));
  return kFolder;
}

/// Reads a sweep and the recipe of each of its points.
std::size_t count_points(const std::string& text) {
  const Sweep sweep = folder().read_whole(text);
  for (const SweepPoint& point : sweep.points) static_cast<void>(recipe_of(sweep, point));
  return sweep.points.size();
}

TEST(SweepConfigs, TheSampleReadsBesideItsRecipe) {
  EXPECT_EQ(count_points(text_of("configs/sweep.yaml")), 60U);
}

TEST(SweepPage, ItsTableHoldsExactlyTheKnownKeys) {
  const std::string page = text_of("docs/reference/sweep.md");
  const std::string table =
      page.substr(page.find("## Keys"), page.find("## Names") - page.find("## Keys"));
  std::set<std::string> listed, known;
  const std::regex row(R"(\n\| `([^`]+)` \|)");
  for (std::sregex_iterator at(table.begin(), table.end(), row), end; at != end; ++at)
    listed.insert((*at)[1]);
  for (const std::string& key : known_sweep_keys()) known.insert(key);
  EXPECT_EQ(listed, known);
}

TEST(SweepPage, ItsExamplesReadAndSoDoTheirPoints) {
  const std::string page = text_of("docs/reference/sweep.md");
  int count = 0;
  for (auto at = page.find("```yaml\n"); at != std::string::npos;
       at = page.find("```yaml\n", at + 1)) {
    const std::string example = page.substr(at + 8, page.find("\n```", at + 8) - at - 7);
    EXPECT_NO_THROW(static_cast<void>(count_points(example))) << example;
    ++count;
  }
  EXPECT_GE(count, 6);
}

}  // namespace
}  // namespace koine::recipe
