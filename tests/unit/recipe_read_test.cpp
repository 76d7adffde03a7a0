#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "recipe/recipe.hpp"
#include "recipe/values.hpp"
#include "support/recipe_file.hpp"

namespace koine::recipe {
namespace {

using test::plain_recipe;
using test::RecipeFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::vector<std::string> names(const Recipe& recipe) {
  std::vector<std::string> all;
  for (const ModelEntry& model : recipe.models) all.push_back(model.name);
  return all;
}

TEST(RecipeRead, FillsTheDefaultsOfThePapersMethods) {
  const RecipeFolder folder;
  for (const char* method : {"lors", "svp", "mp"}) {
    const Recipe recipe = folder.read(plain_recipe(method, 4));
    EXPECT_EQ(recipe.merge_method, method);
    EXPECT_EQ(recipe.rank.kind, RankValue::Kind::share_of_width);
    EXPECT_EQ(recipe.rank.share, 0.01);
    EXPECT_EQ(recipe.density.at({}), 0.2);
    EXPECT_EQ(recipe.lambda, constant(0.25));
    EXPECT_EQ(recipe.normalize, std::nullopt);
    EXPECT_THAT(recipe.select, ElementsAre("attention", "mlp"));
    EXPECT_EQ(recipe.others, Others::dense);
    EXPECT_EQ(recipe.out_dtype, std::nullopt);
    EXPECT_EQ(recipe.svd_mode, SvdMode::certified);
    EXPECT_EQ(recipe.svd_tolerance, 1e-6);
    EXPECT_EQ(recipe.shards, ShardLayout::layer);
    EXPECT_THAT(names(recipe), ElementsAre("expert1", "expert2", "expert3", "expert4"));
    EXPECT_EQ(recipe.models[3].weight->at({}), 1.0);
    EXPECT_EQ(recipe.base->path, (folder.path() / "base").string());
    EXPECT_THAT(recipe.warnings, ElementsAre());
  }
}

TEST(RecipeRead, FillsTheDefaultsOfMergekitsMethods) {
  const RecipeFolder folder;
  const Recipe arithmetic = folder.read(plain_recipe("task_arithmetic", 4));
  EXPECT_EQ(arithmetic.lambda, constant(1.0));
  EXPECT_EQ(arithmetic.normalize, false);
  const Recipe linear =
      folder.read("merge_method: linear\nmodels: [{model: expert1}, {model: expert2}]\n");
  EXPECT_EQ(linear.normalize, true);
  EXPECT_FALSE(linear.base.has_value());
  EXPECT_FALSE(linear.base_listed);
}

TEST(RecipeRead, TakesEveryKey) {
  const RecipeFolder folder;
  const Recipe recipe = folder.read(
      plain_recipe("lors", 2, R"(parameters: {rank: 7, density: 0.5, lambda: 0.3, weight: 2}
density_over: model
select: [encoder, "*.fc1.weight", /decoder\..*/]
others: average
dtype: float32
out_dtype: float16
semantics: paper
seed: 18446744073709551615
svd: {mode: exact, tolerance: 1e-8}
output: {path: runs/x, shards: fine}
tokenizer_source: base
)"));
  EXPECT_EQ(recipe.rank.number.at({}), 7);
  EXPECT_EQ(recipe.density.at({}), 0.5);
  EXPECT_EQ(recipe.density_over, DensityOver::model);
  EXPECT_EQ(recipe.lambda, constant(0.3));
  EXPECT_EQ(recipe.models[1].weight->at({}), 2);
  EXPECT_EQ(recipe.others, Others::average);
  EXPECT_EQ(recipe.out_dtype, DType::f16);
  EXPECT_EQ(recipe.semantics, "paper");
  EXPECT_EQ(recipe.seed, 18446744073709551615U);
  EXPECT_EQ(recipe.svd_mode, SvdMode::exact);
  EXPECT_EQ(recipe.svd_tolerance, 1e-8);
  EXPECT_EQ(recipe.output_path, "runs/x");
  EXPECT_EQ(recipe.shards, ShardLayout::fine);
  EXPECT_THAT(recipe.warnings, ElementsAre());
}

TEST(RecipeRead, ABudgetNeedsADensity) {
  const RecipeFolder folder;
  EXPECT_EQ(folder.read(plain_recipe("mp", 1, "")).density_over, DensityOver::matrix);
  const Recipe svp = folder.read(plain_recipe("svp", 1, "density_over: model\n"));
  EXPECT_EQ(svp.density_over, DensityOver::matrix);
  EXPECT_EQ(svp.warnings.size(), 1U);
}

TEST(RecipeRead, DtypeNamesTheOutputWhereOutDtypeIsAbsent) {
  const RecipeFolder folder;
  EXPECT_EQ(folder.read(plain_recipe("lors", 1, "dtype: bfloat16\n")).out_dtype, DType::bf16);
  EXPECT_EQ(folder.read(plain_recipe("lors", 1, "dtype: torch.float16\n")).out_dtype, DType::f16);
  EXPECT_EQ(folder.read(plain_recipe("lors", 1, "out_dtype: float32\ndtype: float16\n")).out_dtype,
            DType::f32);
}

TEST(RecipeRead, SkipsTheBaseAmongTheModels) {
  const RecipeFolder folder;
  const std::string models =
      "base_model: base\nmodels:\n- model: expert1\n- model: ./base\n  parameters: {weight: 3}\n"
      "- model: expert2\n";
  const Recipe lors = folder.read("merge_method: lors\n" + models);
  EXPECT_THAT(names(lors), ElementsAre("expert1", "expert2"));
  EXPECT_EQ(lors.lambda, constant(0.5));
  const Recipe linear = folder.read("merge_method: linear\n" + models);
  EXPECT_THAT(names(linear), ElementsAre("expert1", "expert2"));
  EXPECT_TRUE(linear.base_listed);
  EXPECT_EQ(linear.base_position, 1U);
  ASSERT_TRUE(linear.base_as_model.has_value());
  EXPECT_EQ(linear.base_as_model->weight->at({}), 3.0);
  EXPECT_EQ(linear.base_as_model->written, "./base");
}

TEST(RecipeRead, RefusesTwins) {
  const RecipeFolder folder;
  EXPECT_THAT(
      folder.error(plain_recipe("lors", 2, "  - model: ./expert1\n")),
      StartsWith("lors.yaml:6:12: model './expert1' is listed twice (first at lors.yaml:4:12)"));
  std::filesystem::create_directories(folder.path() / "other" / "expert1");
  EXPECT_THAT(
      folder.error(plain_recipe("lors", 2, "  - model: other/expert1\n")),
      StartsWith(
          "lors.yaml:6:12: two models are called 'expert1' (first at lors.yaml:4:12); set 'name'"));
  EXPECT_EQ(folder.error(plain_recipe("lors", 2, "  - {model: other/expert1, name: third}\n")), "");
  EXPECT_THAT(folder.error("merge_method: lors\nbase_model: base\nmodels: [{model: base}]\n"),
              StartsWith("lors.yaml:3:9: models lists no expert"));
}

TEST(RecipeRead, NamesMethodsOfOtherVersions) {
  const RecipeFolder folder;
  EXPECT_EQ(folder.error(plain_recipe("ties", 1)),
            "lors.yaml:1:15: merge_method 'ties' is not in this version; it knows lors, svp, mp, "
            "task_arithmetic, linear");
  EXPECT_THAT(folder.error(plain_recipe("lor", 1)),
              StartsWith("lors.yaml:1:15: unknown merge_method 'lor'; this version knows lors"));
  EXPECT_THAT(folder.error(plain_recipe("task_arithmetics", 1)),
              HasSubstr("(did you mean 'task_arithmetic'?)"));
}

TEST(RecipeRead, WarnsOfParametersTheMethodDoesNotUse) {
  const RecipeFolder folder;
  const Recipe recipe = folder.read(
      plain_recipe("task_arithmetic", 1,
                   "    parameters: {density: 0.5}\nparameters: {int8_mask: 1.0, rescale: true}\n"
                   "svd: {mode: exact}\ntokenizer_source: union\n"));
  ASSERT_EQ(recipe.warnings.size(), 2U);
  EXPECT_THAT(recipe.warnings[0], HasSubstr("lors.yaml:8:19: tokenizer_source is not used"));
  EXPECT_THAT(recipe.warnings[1],
              HasSubstr("task_arithmetic does not use int8_mask, rescale, density, svd; ignored"));
  EXPECT_THAT(folder.read(plain_recipe("lors", 1, "    parameters: {lambda: 1}\n")).warnings,
              ElementsAre(HasSubstr("lors does not use lambda of a single model")));
}

TEST(RecipeRead, CountsExpertsAndWeights) {
  const RecipeFolder folder;
  const std::string zero =
      "merge_method: linear\nmodels:\n- {model: expert1, parameters: {weight: 1}}\n"
      "- {model: expert2, parameters: {weight: -1}}\n";
  EXPECT_THAT(folder.error(zero), StartsWith("lors.yaml:3:1: the weights add up to 0"));
  EXPECT_EQ(folder.error(zero + "parameters: {normalize: false}\n"), "");
}

TEST(RecipeRead, ShowsAllErrorsAtOnceInTheOrderOfTheFile) {
  const RecipeFolder folder;
  EXPECT_EQ(
      folder.error("merge_method: lors\n"
                   "base_model: base\n"
                   "models:\n"
                   "  - model: expert1\n"
                   "    parameters: {weigth: 1}\n"
                   "parameters:\n"
                   "  rank: -1\n"
                   "  densty: 0.2\n"
                   "  lambda: .nan\n"
                   "  lambda: 1\n"
                   "others: dens\n"
                   "rank: 7\n"),
      "lors.yaml:5:18: unknown key 'weigth' in parameters of a model (did you mean 'weight'?)\n"
      "lors.yaml:7:9: rank is -1, expected a whole number from 0, a share like \"1%\" or {energy: "
      "0.5}\n"
      "lors.yaml:8:3: unknown key 'densty' in parameters (did you mean 'density'?)\n"
      "lors.yaml:9:11: lambda is '.nan', expected a finite number\n"
      "lors.yaml:10:3: key 'lambda' stands twice (first at line 9); keep one\n"
      "lors.yaml:11:9: others is 'dens', expected dense, base, average (did you mean 'dense'?)\n"
      "lors.yaml:12:1: unknown key 'rank' in the recipe; it belongs in parameters");
}

struct Bad {
  const char* rest;      ///< lines from 6 on, after a lors recipe of two experts
  const char* expected;  ///< how the message begins
};

void PrintTo(const Bad& bad, std::ostream* out) {
  *out << bad.rest;
}

class RecipeRefuses : public ::testing::TestWithParam<Bad> {};

TEST_P(RecipeRefuses, WithLineAndColumn) {
  const RecipeFolder folder;
  const std::string text = plain_recipe("lors", 2, GetParam().rest);
  EXPECT_THAT(folder.error(text), StartsWith(GetParam().expected));
  EXPECT_THROW(static_cast<void>(folder.read(text)), InputError);
}

INSTANTIATE_TEST_SUITE_P(
    Values, RecipeRefuses,
    ::testing::Values(
        Bad{"parameters: {rank: 2.5}", "lors.yaml:6:20: rank is 2.5, expected a whole number"},
        Bad{"parameters: {rank: 101%}", "lors.yaml:6:20: rank is '101%', expected a share from"},
        Bad{"parameters: {rank: {energy: 0}}",
            "lors.yaml:6:29: energy of rank is 0, expected a number above 0"},
        Bad{"parameters: {rank: {energi: 0.5}}", "lors.yaml:6:20: rank is a map, expected"},
        Bad{"parameters: {rank: [{filter: mlp, value: 3}]}", "lors.yaml:6:20: rank leaves tensors"},
        Bad{"parameters: {rank: 3000000000}", "lors.yaml:6:20: rank is 3000000000"},
        Bad{"parameters: {density: 1.5}",
            "lors.yaml:6:23: density is 1.5, expected a number from 0 to 1"},
        Bad{"parameters: {density: [0.1, 2]}", "lors.yaml:6:29: density is 2,"},
        Bad{"parameters: {density: []}", "lors.yaml:6:23: density is a list of 0 values"},
        Bad{"parameters: {density: [{filter: mlp}]}",
            "lors.yaml:6:24: an entry of density has no value"},
        Bad{"parameters: {density: [{value: 1, filtre: x}]}",
            "lors.yaml:6:35: unknown key 'filtre'"},
        Bad{"parameters: {weight: .inf}",
            "lors.yaml:6:22: weight is '.inf', expected a finite number"},
        Bad{"parameters: {weight: inf}", "lors.yaml:6:22: weight is inf, expected a finite number"},
        Bad{"parameters: {weight: heavy}",
            "lors.yaml:6:22: weight is 'heavy', expected a finite number"},
        Bad{"parameters: {normalize: perhaps}",
            "lors.yaml:6:25: normalize is 'perhaps', expected true or false"},
        Bad{"parameters: {temperature: 1}",
            "lors.yaml:6:14: unknown key 'temperature' in parameters"},
        Bad{"parameters: 7", "lors.yaml:6:13: parameters is 7, expected keys and values"},
        Bad{"density_over: rows", "lors.yaml:6:15: density_over is 'rows', expected matrix, model"},
        Bad{"dtype: float8",
            "lors.yaml:6:8: dtype is 'float8', expected float32, float16, bfloat16, float64"},
        Bad{"semantics: papper", "lors.yaml:6:12: semantics is 'papper'"},
        Bad{"seed: -1", "lors.yaml:6:7: seed is -1, expected a whole number"},
        Bad{"seed: 1.5", "lors.yaml:6:7: seed is 1.5"},
        Bad{"svd: {mode: quick}",
            "lors.yaml:6:13: svd.mode is 'quick', expected exact, certified, fast"},
        Bad{"svd: {tolerance: 0}", "lors.yaml:6:18: svd.tolerance is 0, expected a number between"},
        Bad{"svd: {tol: 0}", "lors.yaml:6:7: unknown key 'tol' in svd"},
        Bad{"output: runs/x", "lors.yaml:6:9: output is 'runs/x', expected keys and values"},
        Bad{"output: {shards: row}",
            "lors.yaml:6:18: output.shards is 'row', expected layer, fine"},
        Bad{"select: [atention]",
            "lors.yaml:6:10: select: 'atention' is no role (did you mean 'attention'?)"},
        Bad{"select: [/(/]", "lors.yaml:6:10: select: '/(/' is no regular expression"},
        Bad{"select: [*.weight]", "lors.yaml:6:10: is not valid YAML"},
        Bad{"slices: []", "lors.yaml:6:9: slices stacks layers"},
        Bad{"modules: {}", "lors.yaml:6:10: modules stacks layers"},
        Bad{"merge_metod: lors",
            "lors.yaml:6:1: unknown key 'merge_metod' in the recipe (did you mean "
            "'merge_method'?)"},
        Bad{"  - expert3", "lors.yaml:6:5: models[2] is 'expert3', expected {model: PATH}"},
        Bad{"  - name: x", "lors.yaml:6:5: models[2] has no 'model'"},
        Bad{"  - {model: expert3, name: a/b}", "lors.yaml:6:28: name is 'a/b', expected a word"},
        Bad{"  - {model: {model: expert3}}", "lors.yaml:6:13: model is a map, expected a text"},
        Bad{"  - model: expert3+lora",
            "lors.yaml:6:12: model 'expert3+lora' is not there; 'path+lora' is not supported"},
        Bad{"  - model: expert9", "lors.yaml:6:12: model 'expert9' is neither beside the recipe"}));

TEST(RecipeRead, SaysWhatIsMissing) {
  const RecipeFolder folder;
  EXPECT_EQ(
      folder.error("models:\n- model: expert1\n"),
      "lors.yaml:1:1: merge_method is missing; expected lors, svp, mp, task_arithmetic, linear");
  EXPECT_EQ(folder.error("merge_method: lors\n"),
            "lors.yaml:1:1: base_model is missing; lors adds task vectors to it\n"
            "lors.yaml:1:1: models is missing; list the experts as - model: PATH");
  EXPECT_THAT(folder.error(""), StartsWith("lors.yaml:1:1: the recipe is empty"));
  EXPECT_THAT(folder.error("# nothing\n"), StartsWith("lors.yaml:1:1: the recipe is empty"));
  EXPECT_THAT(folder.error("[1, 2]"),
              StartsWith("lors.yaml:1:1: the recipe is a list, expected keys and values"));
  EXPECT_THAT(test::message_of([] { static_cast<void>(read("/no/such/recipe.yaml")); }),
              HasSubstr("/no/such/recipe.yaml"));
}

TEST(RecipeRead, TakesAnExpertByAnyUniqueEnding) {
  std::vector<ModelEntry> models(4);
  models[0].name = "whisper-small-ca";
  models[1].name = "whisper-small-de";
  models[2].name = "es.pt";
  models[3].name = "de";
  EXPECT_EQ(resolve_expert_name(models, "ca"), 0U);
  EXPECT_EQ(resolve_expert_name(models, "small-de"), 1U);
  EXPECT_EQ(resolve_expert_name(models, "es"), 2U);
  EXPECT_EQ(resolve_expert_name(models, "de"), 3U) << "a whole name comes first";
  EXPECT_THAT(test::message_of([&] { static_cast<void>(resolve_expert_name(models, "e")); }),
              HasSubstr("'e' could be whisper-small-de or de"));
  EXPECT_THAT(test::message_of([&] { static_cast<void>(resolve_expert_name(models, "fr")); }),
              HasSubstr("no expert is called 'fr'"));
}

}  // namespace
}  // namespace koine::recipe
