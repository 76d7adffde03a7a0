#include <algorithm>
#include <set>

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
using ::testing::HasSubstr;

const char* const kEvaluate = "evaluate: {command: x, metric: wer}\n";

std::string random_search(const std::string& space, const std::string& rest) {
  return "search: {method: random, space: {" + space + "}, " + rest + "}\n";
}

TEST(SweepSearch, RandomPointsAreTheSameEverywhere) {
  const SweepFolder folder;
  const std::string space =
      "rank: {low: 1, high: 64, log: true}, density: {low: 0.05, high: 0.5}, "
      "lambda: [0.1, 0.2, 0.3], experts: [[ca, de], [es]]";
  const Sweep sweep = folder.read(random_search(space, "budget: 3, seed: 7"));
  EXPECT_EQ(sweep.search->method, Search::Method::random);
  EXPECT_THAT(sweep.columns, ElementsAre("rank", "density", "lambda", "experts"));
  EXPECT_THAT(settings_of(sweep), ElementsAre("rank 23, density 0.4772, lambda 0.1, experts [es]",
                                              "rank 1, density 0.07479, lambda 0.3, experts [es]",
                                              "rank 2, density 0.3731, lambda 0.3, experts [es]"));
}

TEST(SweepSearch, ALargerBudgetOnlyAddsPoints) {
  const SweepFolder folder;
  const std::string space = "density: {low: 0.001, high: 1, log: yes}, rank: {low: 0, high: 9}";
  const auto few = settings_of(folder.read(random_search(space, "budget: 20")));
  const auto many = settings_of(folder.read(random_search(space, "budget: 50")));
  const auto other = settings_of(folder.read(random_search(space, "budget: 50, seed: 1")));
  ASSERT_EQ(few.size(), 20U);
  EXPECT_TRUE(std::equal(few.begin(), few.end(), many.begin()));
  EXPECT_NE(many, other);
}

TEST(SweepSearch, DrawsLieInTheirRangeAndReachItsEnds) {
  const SweepFolder folder;
  const Sweep sweep = folder.read(random_search(
      "rank: {low: 3, high: 5}, lambda: {low: 0.3333333, high: 0.33335}", "budget: 30"));
  std::set<std::string> ranks;
  for (const SweepPoint& point : sweep.points) {
    const Recipe recipe = recipe_of(sweep, point);
    ranks.insert(number_text(recipe.rank.number.at({}).value()));
    const double lambda = recipe.lambda.at({}).value();
    EXPECT_TRUE(lambda >= 0.3333333 && lambda <= 0.33335) << lambda;
  }
  EXPECT_THAT(ranks, ElementsAre("3", "4", "5"));
}

TEST(SweepSearch, ASmallSpaceGivesEachPointOnce) {
  const SweepFolder folder;
  const Sweep sweep = folder.read(random_search("rank: [1, 3], lambda: [1, 2]", "budget: 10"));
  const auto all = settings_of(sweep);
  EXPECT_THAT(
      std::set(all.begin(), all.end()),
      ElementsAre("rank 1, lambda 1", "rank 1, lambda 2", "rank 3, lambda 1", "rank 3, lambda 2"));
  EXPECT_THAT(sweep.warnings, ElementsAre(HasSubstr("4 different ones were drawn, budget is 10")));
}

TEST(SweepSearch, GoldenLooksForOneNumber) {
  const SweepFolder folder;
  const Sweep plain =
      folder.read(std::string("search: {method: golden, over: lambda}\n") + kEvaluate);
  EXPECT_EQ(plain.search->method, Search::Method::golden);
  EXPECT_EQ(plain.search->over, "lambda");
  EXPECT_EQ(plain.search->low, 0);
  EXPECT_EQ(plain.search->high, 1);
  EXPECT_EQ(plain.search->budget, 10);
  EXPECT_THAT(plain.columns, ElementsAre("lambda"));
  EXPECT_TRUE(plain.points.empty());
  const Sweep full = folder.read(
      std::string("search: {method: golden, over: density, low: 0.1, high: 0.5, budget: 6}\n") +
      kEvaluate);
  EXPECT_EQ(full.search->low, 0.1);
  EXPECT_EQ(full.search->high, 0.5);
  EXPECT_EQ(full.search->budget, 6);
  const SweepPoint point = probe(*full.search, 0.25);
  EXPECT_EQ(settings_of(point), "density 0.25");
  EXPECT_EQ(recipe_of(full, point).density, constant(0.25));
}

TEST(SweepSearch, HalvingBeginsWithDrawnPoints) {
  const SweepFolder folder;
  const Sweep sweep = folder.read(
      std::string("search: {method: halving, space: {lambda: {low: 0, high: 1}}, budget: 9}\n") +
      kEvaluate);
  EXPECT_EQ(sweep.search->method, Search::Method::halving);
  EXPECT_EQ(sweep.search->factor, 3);
  EXPECT_EQ(sweep.points.size(), 9U);
}

TEST(SweepSearch, EvaluationsAreReadInFull) {
  const SweepFolder folder;
  const Evaluation evaluation =
      *folder
           .read(
               "points: [{}]\n"
               "evaluate: {command: x, metric: {regex: 'BLEU = ([0-9.]+)', name: bleu}, goal: max, "
               "timeout: 1.5 h, format: openai, workers: 4, baselines: no, retries: 0}\n")
           .evaluate;
  EXPECT_EQ(evaluation.metric, "bleu");
  EXPECT_EQ(evaluation.metric_regex, "BLEU = ([0-9.]+)");
  EXPECT_TRUE(evaluation.is_goal_max);
  EXPECT_EQ(evaluation.timeout_seconds, 5400);
  EXPECT_EQ(evaluation.format, CheckpointFormat::openai);
  EXPECT_EQ(evaluation.workers, 4);
  EXPECT_FALSE(evaluation.has_baselines);
  EXPECT_EQ(evaluation.retries, 0);
  const Evaluation plain = *folder.read(std::string("points: [{}]\n") + kEvaluate).evaluate;
  EXPECT_EQ(plain.timeout_seconds, 0);
  EXPECT_EQ(plain.retries, 3);
  EXPECT_TRUE(plain.has_baselines);
  for (const auto& [text, seconds] : std::vector<std::pair<std::string, double>>{
           {"90", 90}, {"0", 0}, {"90s", 90}, {"2m", 120}, {"2min", 120}, {"1d", 86400}}) {
    const Sweep sweep =
        folder.read("points: [{}]\nevaluate: {command: x, metric: wer, timeout: " + text + "}\n");
    EXPECT_EQ(sweep.evaluate->timeout_seconds, seconds) << text;
  }
  EXPECT_THAT(folder.read("points: [{}]\nkeep: best\n").warnings,
              ElementsAre(HasSubstr("keep: best keeps nothing")));
}

struct Bad {
  const char* search;
  const char* expected;  ///< part of the message
};

void PrintTo(const Bad& bad, std::ostream* out) {
  *out << bad.search;
}

class SweepRefusesSearch : public ::testing::TestWithParam<Bad> {};

TEST_P(SweepRefusesSearch, SayingWhy) {
  const SweepFolder folder;
  EXPECT_THAT(folder.error("search: " + std::string(GetParam().search) + "\n" + kEvaluate),
              HasSubstr(GetParam().expected));
}

INSTANTIATE_TEST_SUITE_P(
    Values, SweepRefusesSearch,
    ::testing::Values(
        Bad{"golden", "sweep.yaml:2:9: search is 'golden', expected keys and values"},
        Bad{"{over: lambda}", "search has no 'method'; expected golden, random, halving"},
        Bad{"{method: goldn}", "search.method is 'goldn', expected golden, random, halving (did"},
        Bad{"{method: golden}", "search has no 'over'; golden looks for the best lambda or"},
        Bad{"{method: golden, over: rank}", "search.over is 'rank', expected lambda, density"},
        Bad{"{method: golden, over: lambda, low: 2}",
            "search.low is 2, expected less than high, 1"},
        Bad{"{method: golden, over: density, high: 2}", "2:47: density is 2, expected a number"},
        Bad{"{method: golden, over: lambda, budget: 1}", "search.budget is 1, expected a whole"},
        Bad{"{method: golden, over: lambda, seed: 1}", "unknown key 'seed' in search"},
        Bad{"{method: random}", "search has no 'budget'"},
        Bad{"{method: random, budget: 5}", "search has no 'space'"},
        Bad{"{method: random, budget: 5, space: {}}", "search.space is empty"},
        Bad{"{method: random, budget: 5, space: [1]}", "search.space is a list"},
        Bad{"{method: random, budget: 200000, space: {rank: [1]}}", "search.budget is 200000"},
        Bad{"{method: random, budget: 5, seed: x, space: {rank: [1]}}", "search.seed is 'x'"},
        Bad{"{method: random, budget: 5, factor: 2, space: {rank: [1]}}", "unknown key 'factor'"},
        Bad{"{method: random, budget: 5, space: {rnk: [1]}}", "unknown key 'rnk' in search.space"},
        Bad{"{method: random, budget: 5, space: {rank: 1}}",
            "rank of space is 1, expected a list of values or a range {low: …, high: …}"},
        Bad{"{method: random, budget: 5, space: {select: {low: 1, high: 2}}}",
            "select of space is a map, expected a list of values"},
        Bad{"{method: random, budget: 5, space: {rank: []}}", "rank of space is empty"},
        Bad{"{method: random, budget: 5, space: {rank: [~]}}", "rank of space holds an empty"},
        Bad{"{method: random, budget: 5, space: {rank: {low: 1}}}", "range of rank has no 'high'"},
        Bad{"{method: random, budget: 5, space: {rank: {low: 1, high: 2.5}}}", "rank is 2.5"},
        Bad{"{method: random, budget: 5, space: {rank: {low: 1%, high: 2%}}}",
            "a range of rank is between numbers; list shares as"},
        Bad{"{method: random, budget: 5, space: {lambda: {low: 1, high: 1}}}",
            "low of lambda is 1, expected less than high, 1"},
        Bad{"{method: random, budget: 5, space: {lambda: {low: 0, high: 1, log: true}}}",
            "low of lambda is 0, expected above 0 with log"},
        Bad{"{method: random, budget: 5, space: {lambda: {low: 0, high: 1, step: 1}}}",
            "unknown key 'step' in a range"},
        Bad{"{method: halving, budget: 5, factor: 1, space: {rank: [1]}}", "search.factor is 1"}));

TEST(SweepSearch, ChoosingNeedsAMetric) {
  const SweepFolder folder;
  EXPECT_THAT(folder.error("search: {method: golden, over: lambda}\n"),
              HasSubstr("sweep.yaml:2:9: search chooses by a metric; add evaluate"));
}

}  // namespace
}  // namespace koine::recipe
