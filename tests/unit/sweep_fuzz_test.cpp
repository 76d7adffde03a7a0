#include <random>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "recipe/sweep.hpp"
#include "support/mutate.hpp"
#include "support/sweep_file.hpp"

namespace koine::recipe {
namespace {

const char* const kSweep = R"(grid:
  rank: &r [0, 7, "1%", {energy: 0.5}, [1, 8]]
  density: [0.05, ~, 0.2]
  experts: [[ca, de], [es]]
  svd.mode: [exact, fast]
evaluate:
  command: "python3 wer.py {checkpoint} --out {result}"
  metric: {regex: 'WER: ([0-9.]+)', name: wer}
  timeout: 30min
keep: best
output: {path: runs/sweep}
)";
const char* const kSearch = R"(search:
  method: random
  space:
    rank: {low: 1, high: 64, log: true}
    lambda: [0.1, &l 0.2, *l]
    weights: [[1, 0.5, -1]]
  budget: 9
  seed: 3
keep: all
)";

TEST(SweepFuzz, MutationsReadOrSayWhy) {
  const test::SweepFolder folder;
  std::mt19937 random(20240608);
  int good = 0, bad = 0;
  for (int i = 0; i < 4000; ++i) {
    const std::string text = test::mutate(i % 2 == 0 ? kSweep : kSearch, random);
    try {
      const Sweep sweep = folder.read(text);
      ++good;
      if (!sweep.points.empty()) static_cast<void>(recipe_of(sweep, sweep.points.back()));
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find("sweep.yaml"), std::string::npos) << error.what();
      ++bad;
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what() << "\n" << text;
    }
  }
  EXPECT_GT(good, 100) << "mutations are too wild to test anything but the parser";
  EXPECT_GT(bad, 100);
}

}  // namespace
}  // namespace koine::recipe
