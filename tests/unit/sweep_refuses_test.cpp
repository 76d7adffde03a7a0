#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "recipe/sweep.hpp"
#include "support/sweep_file.hpp"

namespace koine::recipe {
namespace {

using test::SweepFolder;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(SweepErrors, EverythingAtOnceInTheOrderOfTheFile) {
  const SweepFolder folder;
  EXPECT_EQ(folder.error("grid:\n"
                         "  rnak: [1]\n"
                         "  rank: [1, -1, 2.5]\n"
                         "  density: 0.2\n"
                         "  merge_method: [lors, lor]\n"
                         "evaluate:\n"
                         "  command: x\n"
                         "  metrik: wer\n"
                         "  goal: lowest\n"
                         "kep: all\n"),
            "sweep.yaml:3:3: unknown key 'rnak' in grid (did you mean 'rank'?)\n"
            "sweep.yaml:4:13: rank is -1, expected a whole number from 0, a share like \"1%\" or "
            "{energy: 0.5}\n"
            "sweep.yaml:4:17: rank is 2.5, expected a whole number from 0, a share like \"1%\" or "
            "{energy: 0.5}\n"
            "sweep.yaml:5:12: density of grid is 0.2, expected a list of values\n"
            "sweep.yaml:6:24: unknown merge_method 'lor'; this version knows lors, svp, mp, "
            "task_arithmetic, linear (did you mean 'lors'?)\n"
            "sweep.yaml:8:3: evaluate has no 'metric'; name a number of the result: metric: wer\n"
            "sweep.yaml:9:3: unknown key 'metrik' in evaluate (did you mean 'metric'?)\n"
            "sweep.yaml:10:9: evaluate.goal is 'lowest', expected min, max\n"
            "sweep.yaml:11:1: unknown key 'kep' in the sweep (did you mean 'keep'?)");
}

struct Bad {
  const char* rest;      ///< lines from 2 on
  const char* expected;  ///< how the message begins, but "sweep.yaml:" before it
};

void PrintTo(const Bad& bad, std::ostream* out) {
  *out << bad.rest;
}

class SweepRefuses : public ::testing::TestWithParam<Bad> {};

TEST_P(SweepRefuses, WithLineAndColumn) {
  const SweepFolder folder;
  EXPECT_THAT(folder.error(GetParam().rest),
              StartsWith(std::string("sweep.yaml:") + GetParam().expected));
  EXPECT_THROW(static_cast<void>(folder.read(GetParam().rest)), InputError);
}

INSTANTIATE_TEST_SUITE_P(
    Points, SweepRefuses,
    ::testing::Values(
        Bad{"", "1:1: the sweep has no points; give grid"},
        Bad{"grid: {rank: [1]}\npoints: [{}]",
            "3:9: grid and points in one sweep; keep one of grid, points and search"},
        Bad{"grid: {}", "2:7: grid is empty"}, Bad{"grid: [1]", "2:7: grid is a list, expected"},
        Bad{"grid: {rank: []}", "2:14: rank of grid is empty; list at least one value"},
        Bad{"grid: {rank: [1], rank: [2]}", "2:19: key 'rank' stands twice"},
        Bad{"grid: {parameters.rank: [1]}",
            "2:8: unknown key 'parameters.rank' in grid; write 'rank'"},
        Bad{"grid: {svd: [{mode: exact}]}", "2:8: unknown key 'svd' in grid; write 'svd.mode' or"},
        Bad{"grid: {base_model: [a]}", "2:8: unknown key 'base_model' in grid; the recipe alone"},
        Bad{"grid: {keep: [all]}", "2:8: unknown key 'keep' in grid; it belongs at the top level"},
        Bad{"grid: {svd.mode: [quick]}", "2:19: svd.mode is 'quick', expected exact"},
        Bad{"grid: {select: [atention]}", "2:17: select: 'atention' is no role"},
        Bad{"grid: {seed: [x]}", "2:15: seed is 'x', expected a whole number"},
        Bad{"grid: {merge_method: [ties]}", "2:23: merge_method 'ties' is not in this version"},
        Bad{"experts: [[ca]]", "1:1: the sweep has no points; give grid"},
        Bad{"grid: {rank: [1]}\nexperts: [[ca]]",
            "3:1: unknown key 'experts' in the sweep; it belongs in grid"},
        Bad{"grid: {rank: [1]}\nmodels: []",
            "3:1: unknown key 'models' in the sweep; it belongs in the recipe"},
        Bad{"points: []", "2:9: points is empty"}, Bad{"points: {}", "2:9: points is a map"},
        Bad{"points: [7]", "2:10: a point is 7, expected settings such as {rank: 7}"},
        Bad{"points: [{ranks: 7}]", "2:11: unknown key 'ranks' in a point (did you mean 'rank'?)"},
        Bad{"points: [{density: 2}]", "2:20: density is 2, expected a number from 0 to 1"}));

INSTANTIATE_TEST_SUITE_P(
    Rest, SweepRefuses,
    ::testing::Values(
        Bad{"points: [{}]\nkeep: some", "3:7: keep is 'some', expected best, all, none"},
        Bad{"points: [{}]\noutput: runs", "3:9: output is 'runs', expected keys and values"},
        Bad{"points: [{}]\noutput: {shards: fine}", "3:10: unknown key 'shards' in output"},
        Bad{"points: [{}]\nevaluate: wer.py", "3:11: evaluate is 'wer.py', expected keys"},
        Bad{"points: [{}]\nevaluate: {metric: wer}", "3:11: evaluate has no 'command'"},
        Bad{"points: [{}]\nevaluate: {command: x}", "3:11: evaluate has no 'metric'"},
        Bad{"points: [{}]\nevaluate: {keep: all}", "3:11: evaluate has no"},
        Bad{"points: [{}]\n<<: 3", "3:5: '<<' takes a map"}));

std::string evaluated(const std::string& rest) {
  return "points: [{}]\nevaluate: {command: x, metric: wer, " + rest + "}";
}

TEST(SweepErrors, WrongEvaluations) {
  const SweepFolder folder;
  EXPECT_THAT(folder.error(evaluated("timeout: soon")),
              StartsWith("sweep.yaml:3:46: evaluate.timeout is 'soon', expected seconds or a time "
                         "such as 90s, 30min or 2h"));
  EXPECT_THAT(folder.error(evaluated("timeout: -1s")), HasSubstr("evaluate.timeout is '-1s'"));
  EXPECT_THAT(folder.error(evaluated("timeout: 31d")), HasSubstr("at most 30d"));
  EXPECT_THAT(folder.error(evaluated("workers: 0")), HasSubstr("evaluate.workers is 0"));
  EXPECT_THAT(folder.error(evaluated("retries: 1.5")), HasSubstr("evaluate.retries is 1.5"));
  EXPECT_THAT(folder.error(evaluated("format: pt")),
              HasSubstr("evaluate.format is 'pt', expected hf, openai, run"));
  EXPECT_THAT(folder.error(evaluated("baselines: some")), HasSubstr("expected true or false"));
  const auto metric = [&](const std::string& value) {
    return folder.error("points: [{}]\nevaluate: {command: x, metric: " + value + "}");
  };
  EXPECT_THAT(metric("{regex: '('}"), HasSubstr("'(' is no regular expression"));
  EXPECT_THAT(metric("{regex: 'WER: [0-9]+'}"), HasSubstr("has no group"));
  EXPECT_THAT(metric("{regex: '(" + std::string(300, 'a') + ")'}"), HasSubstr("at most 256"));
  EXPECT_THAT(metric("{name: wer}"), HasSubstr("evaluate.metric has no 'regex'"));
  EXPECT_THAT(metric("[wer]"), HasSubstr("evaluate.metric is a list"));
}

TEST(SweepErrors, FilesThatAreNoSweeps) {
  const SweepFolder folder;
  const auto whole = [&](const std::string& text) {
    return folder.short_message([&] { static_cast<void>(folder.read_whole(text)); });
  };
  EXPECT_THAT(whole(""), StartsWith("sweep.yaml:1:1: the sweep is empty; it needs recipe"));
  EXPECT_THAT(whole("[1]"), StartsWith("sweep.yaml:1:1: the sweep is a list, expected keys"));
  EXPECT_THAT(whole("points: [{}]\n"), StartsWith("sweep.yaml:1:1: recipe is missing"));
  EXPECT_THAT(whole("recipe: {a: b}\npoints: [{}]\n"),
              HasSubstr("recipe is a map, expected a text"));
  EXPECT_THAT(whole("recipe: sweep.yaml\npoints: [{}]\n"),
              HasSubstr("sweep.yaml:1:1: unknown key 'recipe' in the recipe; it belongs in a file "
                        "for koine sweep"));
  EXPECT_THAT(whole("recipe: base\npoints: [{}]\n"), HasSubstr("base"));
  EXPECT_THAT(test::message_of([] { static_cast<void>(read_sweep("/no/sweep.yaml")); }),
              HasSubstr("/no/sweep.yaml"));
}

TEST(SweepErrors, ARecipeWhoseExpertsCannotBeRead) {
  const SweepFolder folder;
  folder.write_recipe("merge_method: lors\nbase_model: base\nmodels: [{model: nowhere}]\n");
  EXPECT_THAT(folder.error("points: [{experts: [ca], weights: [1]}]\n"),
              StartsWith("lors.yaml:3:18: model 'nowhere' is neither"));
  EXPECT_THAT(folder.error("points: [{rank: -1}]\n"), StartsWith("sweep.yaml:2:17: rank is -1"))
      << "its own errors first";
}

TEST(SweepErrors, ExpansionWithoutEnd) {
  const SweepFolder folder;
  std::string grid = "grid:\n  lambda: [0";
  for (int i = 1; i < 1000; ++i) grid += ", " + std::to_string(i);
  EXPECT_EQ(folder.read(grid + "]\n").points.size(), 1000U);
  grid += "]\n  density: [0";
  for (int i = 1; i < 100; ++i) grid += ", 0." + std::to_string(i);
  EXPECT_EQ(folder.read(grid + "]\n").points.size(), 100'000U);
  EXPECT_THAT(folder.error(grid + "]\n  rank: [1, 2]\n"),
              StartsWith("sweep.yaml:3:3: makes more than 100,000 points"));
  std::string axes = "grid:\n";
  for (const std::string& name : swept_names()) {
    if (name == "experts" || name == "weights") continue;
    axes += "  " + name + ": [~";
    for (int i = 1; i < 1000; ++i) axes += ", ~";
    axes += "]\n";
  }
  EXPECT_THAT(folder.error(axes), HasSubstr("makes more than 100,000 points")) << "1000^27";
  const std::string text = "grid: {select: [\"" + std::string(200, '*') + "\"], lambda: [";
  std::string numbers = "0";
  for (int i = 1; i < 20'000; ++i) numbers += ", " + std::to_string(i);
  EXPECT_EQ(folder.error(text + numbers + "]}\n"), "");
  EXPECT_THAT(folder.error("grid: {int8_mask: [\"" + std::string(200'000, '*') + "\"], lambda: [" +
                           numbers + "]}\n"),
              HasSubstr("take more than 256 MiB"));
}

TEST(SweepErrors, AliasesOfLongTexts) {
  const SweepFolder folder;
  std::string text = "points:\n- &a {int8_mask: \"" + std::string(500'000, 'x') + "\"}\n";
  EXPECT_EQ(folder.error(text), "");
  for (int i = 0; i < 1000; ++i) text += "- *a\n";
  EXPECT_THAT(folder.error(text), HasSubstr("more than 100000 values after expanding aliases"));
}

}  // namespace
}  // namespace koine::recipe
