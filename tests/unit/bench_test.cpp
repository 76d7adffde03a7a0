#include <array>
#include <atomic>
#include <fstream>
#include <set>
#include <stdexcept>

#include <gtest/gtest.h>

#include "bench/figure.hpp"
#include "bench/measure.hpp"
#include "bench/suite.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "support/temporary_folder.hpp"

namespace koine::bench {
namespace {

const Machine kMachine{"0.1.0", "abc", "a CPU", "a BLAS", 2};

Figure full_figure() {
  Figure figure;
  figure.bench = "gram";
  figure.dtype = "float32";
  figure.shape = {768, 3072};
  figure.threads = 2;
  figure.repeats = 7;
  figure.seconds = {0.02, 0.03, 0.018};
  figure.work = {.flops = 3e9, .flops32 = 1e9, .bytes = 2e7, .elements = 1e6};
  figure.bound = Bound{"dgemm", 2.5e11, 0, 0.016, 0.009};
  figure.is_checked = true;
  figure.merge = MergeFacts{"tiny", 5, 1 << 20};
  return figure;
}

std::string kind_of(const Json& value) {
  if (value.is_number_integer()) return "integer";
  return value.is_number() ? "number" : value.type_name();
}

/// The golden schema: key -> kinds, in order. koine bench's readers depend on it: add keys, never
/// rename one.
void expect_schema(const std::string& line) {
  std::ifstream file(test::test_source("formats/golden/bench_line.json"));
  const Json golden = Json::parse(file), found = Json::parse(line);
  ASSERT_EQ(golden.size(), found.size()) << line;
  auto wanted = golden.begin();
  for (const auto& [key, value] : found.items()) {
    EXPECT_EQ(key, wanted.key());
    const std::string kinds = wanted->get<std::string>();
    const bool fits = kinds.find(kind_of(value)) != std::string::npos ||
                      (kinds.starts_with("number") && value.is_number());
    EXPECT_TRUE(fits) << key << " is " << kind_of(value) << ", expected " << kinds;
    ++wanted;
  }
}

TEST(BenchLine, HasTheGoldenSchemaWhateverApplies) {
  expect_schema(to_json_line(full_figure(), kMachine));
  expect_schema(to_json_line(Figure{}, kMachine));
}

TEST(BenchLine, RatesAndRatios) {
  const Json line = Json::parse(to_json_line(full_figure(), kMachine));
  EXPECT_EQ(line["flops_per_s"], 2e11);    // 4e9 / 0.02
  EXPECT_EQ(line["elements_per_s"], 5e7);  // 1e6 / 0.02
  EXPECT_EQ(line["ratio_to_bound"], 0.8);  // 0.016 / 0.02
  EXPECT_EQ(line["ratio_to_bound_by_cpu"], 0.5);
  EXPECT_TRUE(line["bound_bytes_per_s"].is_null());
  EXPECT_EQ(to_json_line(full_figure(), kMachine).find('\n'), std::string::npos);
}

TEST(BenchLine, NoTimeGivesNoRate) {
  Figure figure = full_figure();
  figure.seconds = {};
  const Json line = Json::parse(to_json_line(figure, kMachine));
  EXPECT_TRUE(line["flops_per_s"].is_null());
  EXPECT_TRUE(line["ratio_to_bound"].is_null());
}

TEST(Measure, RunsEveryTaskOnEveryThreadPreparedEachTime) {
  std::atomic<int> runs = 0, prepared = 0;
  std::array<std::atomic<int>, 3> by_thread{};
  const Task task{[&](int thread) {
                    ++runs;
                    ++by_thread.at(static_cast<std::size_t>(thread));
                  },
                  [&](int) { ++prepared; }};
  const Sample sample = measure(task, {3, 4, 0});
  EXPECT_EQ(sample.seconds.size(), 4U);
  EXPECT_EQ(sample.cpu.size(), 4U);
  EXPECT_EQ(runs, prepared);
  EXPECT_EQ(runs, 3 * by_thread[2]);
  EXPECT_GE(by_thread[0], 4 + 1);  // and a warm-up
}

TEST(Measure, ShortTasksAreRepeated) {
  int runs = 0;
  (void)measure({[&](int) { ++runs; }, {}}, {1, 2, 1e-3});
  EXPECT_GT(runs, 4);
}

TEST(Measure, PassesOnWhatATaskThrows) {
  const Task task{[](int thread) {
                    if (thread == 1) throw std::runtime_error("thread 1");
                  },
                  {}};
  EXPECT_THROW((void)measure(task, {2, 3, 0}), std::runtime_error);
}

TEST(Measure, MedianAndNinetiethPercentile) {
  const Sample sample{{5, 1, 4, 2, 3, 10, 9, 8, 7, 6}, {2, 1, 3, 4, 5, 6, 7, 8, 9, 10}};
  const Spread spread = spread_of(sample);
  EXPECT_EQ(spread.median, 5);
  EXPECT_EQ(spread.p90, 9);
  EXPECT_EQ(spread.cpu, 5);
}

TEST(Measure, ADifferenceIsNeverShownBelowZero) {
  const Sample rest = difference({{3, 3, 3}, {1, 1, 1}}, {{1, 5, 5}, {0.5, 2, 2}});
  EXPECT_EQ(rest.seconds, (std::vector<double>{2, -2, -2}));
  EXPECT_EQ(spread_of(rest).median, 0);
  EXPECT_EQ(spread_of(rest).p90, 2);
}

TEST(Suite, NamesAreUniqueAndUnknownOnesAreRefused) {
  std::set<std::string> names;
  for (const BenchRow& row : suite()) EXPECT_TRUE(names.insert(row.name).second) << row.name;
  Options options;
  options.only = {"grm"};
  const std::string message =
      test::message_of([&] { (void)run_suite(options, [](const Figure&) {}); });
  EXPECT_NE(message.find("did you mean 'gram'?"), std::string::npos) << message;
}

TEST(Suite, MeasuresOnTwoThreadsAndChecks) {
  const test::TemporaryFolder folder;
  Options options;
  options.only = {"gram", "svd", "solver", "product", "select"};
  options.shapes = {{400, 320}, {320, 400}, {336, 336}};  // large enough for a Krylov space
  options.threads = {1, 2};
  options.repeats = 1;
  options.is_quick = true;
  options.folder = folder.path();
  std::set<std::string> seen;
  EXPECT_TRUE(run_suite(options, [&](const Figure& figure) {
    EXPECT_TRUE(figure.is_checked) << figure.bench;
    seen.insert(figure.bench);
  }));
  for (const char* name : {"gram", "svd_fast", "svd_certified", "svd_exact", "krylov", "cholesky",
                           "tau_block", "project", "rounded_gram", "rounded_block", "certificate",
                           "product", "kth_largest", "take_kept", "dgemm", "copy"})
    EXPECT_TRUE(seen.contains(name)) << name;
}

}  // namespace
}  // namespace koine::bench
