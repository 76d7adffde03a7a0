#include <gtest/gtest.h>

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
  test::expect_read_or_refused({kSweep, kSearch}, 4000, "sweep.yaml", 20240608,
                               [&](const std::string& text) {
                                 const Sweep sweep = folder.read(text);
                                 if (!sweep.points.empty())
                                   static_cast<void>(recipe_of(sweep, sweep.points.back()));
                               });
}

}  // namespace
}  // namespace koine::recipe
