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
using ::testing::EndsWith;
using ::testing::HasSubstr;

TEST(SweepRead, TheContractsExample) {
  const SweepFolder folder;
  const Sweep sweep = folder.read(
      "grid: {rank: [0, 1, 3, 7, 15], density: [0.05, 0.1, 0.2, 0.4], lambda: [0.1, 0.2, 0.3]}\n"
      "evaluate: {command: \"python3 wer.py {checkpoint} --out {result}\", metric: wer, goal: min, "
      "timeout: 30min, format: hf, workers: 1, baselines: true}\n"
      "keep: best\n"
      "output: {path: runs/sweep}\n");
  EXPECT_EQ(sweep.file, folder.file());
  EXPECT_EQ(sweep.recipe_path, (folder.path() / "lors.yaml").string());
  EXPECT_EQ(sweep.points.size(), 60U);
  EXPECT_EQ(sweep.points.back().number, 60);
  EXPECT_EQ(sweep.evaluate->command, "python3 wer.py {checkpoint} --out {result}");
  EXPECT_EQ(sweep.evaluate->metric, "wer");
  EXPECT_EQ(sweep.evaluate->timeout_seconds, 1800);
  EXPECT_EQ(sweep.keep, Keep::best);
  EXPECT_EQ(sweep.output_path, "runs/sweep");
  EXPECT_FALSE(sweep.search.has_value());
  EXPECT_THAT(sweep.warnings, ElementsAre());
}

TEST(SweepRead, AGridTurnsItsLastKeyFastest) {
  const SweepFolder folder;
  const Sweep sweep = folder.read("grid: {rank: [1, 3], density: [0.10, 2e-1]}\n");
  EXPECT_THAT(sweep.columns, ElementsAre("rank", "density"));
  EXPECT_THAT(settings_of(sweep), ElementsAre("rank 1, density 0.1", "rank 1, density 0.2",
                                              "rank 3, density 0.1", "rank 3, density 0.2"));
  EXPECT_THAT(sweep.points[2].overrides,
              ElementsAre("parameters.rank=3", "parameters.density=0.1"));
}

TEST(SweepRead, PointsNameWhatTheyChange) {
  const SweepFolder folder("lors", "parameters: {rank: 5}\n");
  const Sweep sweep = folder.read(
      "points:\n- {density: 0.5, rank: 7}\n- {lambda: 1, density: 0.1}\n- {}\n- {rank: }\n");
  EXPECT_THAT(sweep.columns, ElementsAre("density", "rank", "lambda"));
  EXPECT_THAT(settings_of(sweep),
              ElementsAre("density 0.5, rank 7", "density 0.1, lambda 1", "", ""));
  EXPECT_EQ(recipe_of(sweep, sweep.points[0]).rank.number, constant(7));
  EXPECT_EQ(recipe_of(sweep, sweep.points[1]).rank.number, constant(5)) << "the recipe's own";
  EXPECT_EQ(recipe_of(sweep, sweep.points[3]).rank.number, constant(5)) << "empty means absent";
}

TEST(SweepRead, AnEmptyValueOfAGridKeepsTheRecipesOwn) {
  const SweepFolder folder("lors", "parameters: {lambda: 0.7}\n");
  const Sweep sweep = folder.read("grid: {lambda: [null, 0.1], experts: [~, [ca]]}\n");
  EXPECT_THAT(settings_of(sweep),
              ElementsAre("", "experts [ca]", "lambda 0.1", "lambda 0.1, experts [ca]"));
  EXPECT_EQ(recipe_of(sweep, sweep.points[0]).lambda, constant(0.7));
}

TEST(SweepRead, RanksMayBeSharesAndEnergies) {
  const SweepFolder folder;
  const Sweep sweep = folder.read("grid: {rank: [7, \"1.0%\", {energy: 0.50}, [1, 8]]}\n");
  EXPECT_THAT(settings_of(sweep),
              ElementsAre("rank 7", "rank 1%", "rank {energy: 0.5}", "rank [1, 8]"));
  EXPECT_EQ(recipe_of(sweep, sweep.points[1]).rank.share, 0.01);
  EXPECT_EQ(recipe_of(sweep, sweep.points[2]).rank.kind, RankValue::Kind::energy);
  EXPECT_EQ(recipe_of(sweep, sweep.points[3]).rank.number.entries[0].gradient.size(), 2U);
}

TEST(SweepRead, EverySettingOfARecipeHasAShortName) {
  const SweepFolder folder;
  const Sweep sweep = folder.read(R"(points:
- {merge_method: task_arithmetic, normalize: yes, weight: 0.5}
- {density_over: model, select: [mlp, "*.q.weight"], others: average, seed: 18446744073709551615}
- {semantics: paper, dtype: float16, svd.mode: exact, svd.tolerance: 1e-8}
- {out_dtype: bfloat16, int8_mask: true}
)");
  const Recipe first = recipe_of(sweep, sweep.points[0]);
  EXPECT_EQ(first.merge_method, "task_arithmetic");
  EXPECT_EQ(first.normalize, true);
  EXPECT_EQ(first.models[0].weight, constant(0.5));
  const Recipe second = recipe_of(sweep, sweep.points[1]);
  EXPECT_EQ(second.density_over, DensityOver::model);
  EXPECT_THAT(second.select, ElementsAre("mlp", "*.q.weight"));
  EXPECT_EQ(second.others, Others::average);
  EXPECT_EQ(second.seed, 18446744073709551615U);
  const Recipe third = recipe_of(sweep, sweep.points[2]);
  EXPECT_EQ(third.semantics, "paper");
  EXPECT_EQ(third.svd_mode, SvdMode::exact);
  EXPECT_EQ(third.svd_tolerance, 1e-8);
  EXPECT_EQ(third.out_dtype, DType::f16);
  EXPECT_THAT(recipe_of(sweep, sweep.points[3]).warnings, ElementsAre(HasSubstr("int8_mask")));
}

TEST(SweepRead, TheCommandLineChangesTheRecipeAndTheOutput) {
  const SweepFolder folder;
  const std::vector<std::string> set{"parameters.density=0.9", "parameters.rank=2"};
  const Sweep sweep = folder.read("grid: {rank: [7]}\nkeep: none\noutput: {path: a}\n", set, "b");
  EXPECT_EQ(sweep.output_path, "b");
  EXPECT_EQ(sweep.keep, Keep::none);
  const Recipe recipe = recipe_of(sweep, sweep.points[0], set);
  EXPECT_EQ(recipe.density, constant(0.9));
  EXPECT_EQ(recipe.rank.number, constant(7)) << "the point goes before --set";
  EXPECT_THAT(sweep.warnings, ElementsAre(HasSubstr("--set 'parameters.rank=2': the sweep sets")));
}

TEST(SweepRead, TheRecipeMayLeaveToThePointsWhatTheySet) {
  const SweepFolder folder;
  folder.write_recipe("base_model: base\nmodels: [{model: expert1}, {model: expert2}]\n");
  const Sweep sweep = folder.read("grid: {merge_method: [lors, mp]}\n");
  EXPECT_EQ(recipe_of(sweep, sweep.points[1]).merge_method, "mp");
}

TEST(SweepRead, ErrorsOfARecipeNameThePoint) {
  const SweepFolder folder("lors", "select: [encoder]\n");
  const Sweep sweep = folder.read("grid: {rank: [7, [{filter: mlp, value: 3}]], density: [0.2]}\n");
  EXPECT_EQ(
      folder.short_message([&] { static_cast<void>(recipe_of(sweep, sweep.points[1])); }),
      "sweep.yaml: point 2 (rank [{filter: mlp, value: 3}], density 0.2): rank leaves tensors "
      "that no filter fits without a rank; add {value: N} as its last entry");
  folder.write_recipe("merge_method: lors\nbase_model: nowhere\nmodels: [{model: expert1}]\n");
  EXPECT_THAT(folder.short_message([&] { static_cast<void>(recipe_of(sweep, sweep.points[0])); }),
              ::testing::StartsWith("sweep.yaml: point 1 (rank 7, density 0.2): lors.yaml:2:13: "
                                    "base_model 'nowhere' is neither"));
}

TEST(SweepRead, ShowsWhereASettingCameFrom) {
  const SweepFolder folder;
  const Sweep sweep = folder.read("points: [{rank: 7, experts: [de], weights: [0.5]}]\n");
  std::vector<std::string> origins;
  for (const auto& setting : recipe_of(sweep, sweep.points[0]).settings) {
    if (setting.origin == "sweep.yaml") origins.push_back(setting.key);
  }
  EXPECT_THAT(origins, ElementsAre("models[1].parameters.weight", "parameters.rank"));
}

TEST(SweepRead, SettingsReadBackAsTheyAreShown) {
  const SweepFolder folder("lors", "output: {path: x}\n");
  const Sweep sweep =
      folder.read("grid: {select: [[\"*.a'b\\\"c.*\", '/a\\.[0-9]{2},/', \"null.*\"], all.*]}\n");
  EXPECT_EQ(settings_of(sweep.points[0]), R"(select ["*.a'b\"c.*", "/a\\.[0-9]{2},/", "null.*"])");
  EXPECT_THAT(recipe_of(sweep, sweep.points[0]).select,
              ElementsAre("*.a'b\"c.*", "/a\\.[0-9]{2},/", "null.*"));
}

TEST(SweepRead, FindsTheRecipeBesideItselfFirst) {
  const SweepFolder folder;
  const Sweep sweep = folder.read_whole("recipe: ./lors.yaml\npoints: [{}]\n");
  EXPECT_EQ(sweep.recipe_path, (folder.path() / "lors.yaml").string());
  EXPECT_THAT(folder.short_message([&] {
    static_cast<void>(folder.read_whole("recipe: no/lors.yaml\npoints: [{}]\n"));
  }),
              AllOf(HasSubstr("sweep.yaml:1:9: recipe 'no/lors.yaml' is neither beside the sweep"),
                    EndsWith("; correct the path")));
}

}  // namespace
}  // namespace koine::recipe
