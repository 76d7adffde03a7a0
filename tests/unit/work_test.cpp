#include "pipeline/work.hpp"

#include <gtest/gtest.h>

#include "pipeline/plan.hpp"

namespace koine::pipeline {
namespace {

TensorPart part_of(std::int64_t rank, lowrank::Mode mode = lowrank::Mode::certified) {
  TensorPart part;
  part.prune.rank.number.kept = rank;
  part.prune.svd.mode = mode;
  return part;
}

TEST(Work, SecondsAddUpOverKinds) {
  const Work work{.bytes_read = 6, .pruned = 10};
  const Rates rates{2, 1, 1, 5, 1, 1, 1};
  EXPECT_EQ(seconds_of(work, rates), 3 + 2);
  EXPECT_EQ(seconds_of({}, rates), 0);
}

TEST(Work, CalibratedRatesGiveTheStagesBack) {
  const Work work{.bytes_read = 6,
                  .bytes_written = 8,
                  .parts = 100,
                  .pruned = 60,
                  .results = 20,
                  .gram = 4e3,
                  .space = 5e3};
  const StageSeconds stages{1, 2, 4, 8, 16};
  const Rates rates = calibrated(common_rates(), work, stages);
  EXPECT_NEAR(seconds_of(work, rates), 31, 31e-12);  // a sum of seven quotients
  EXPECT_EQ(rates.bytes_read, 6);
  EXPECT_EQ(rates.parts, 50);
  // Pruning keeps the proportions of its three kinds.
  EXPECT_NEAR(rates.gram / rates.pruned, common_rates().gram / common_rates().pruned, 1e-9);
  EXPECT_EQ(calibrated(common_rates(), {}, stages), common_rates());
}

TEST(Work, FactorsCostNothingWhereNoneAreNeeded) {
  for (const std::int64_t rank : {std::int64_t{0}, std::int64_t{64}, std::int64_t{100}}) {
    EXPECT_FALSE(needs_factors(part_of(rank), {64, 256}));
    EXPECT_EQ(factor_work(part_of(rank), {64, 256}), Work{});
    EXPECT_EQ(factor_bytes(part_of(rank), {64, 256}), 0);
  }
}

TEST(Work, OfAFactorisation) {
  const double m = 1280, n = 5120, v = 60, w = 18;  // seven or eight blocks of rung 8; two or three
  const Work work = factor_work(part_of(7), {5120, 1280});
  EXPECT_EQ(work.gram, 2.0 / 3 * m * m * n + 2 * m * m * v + 4 * m * n * w);
  EXPECT_EQ(work.space, 4 * m * v * v + 4 * m * n * 8 + 4 * m * w * w);
  EXPECT_EQ(factor_bytes(part_of(7), {5120, 1280}), 4 * 8 * (1280 + 5120));
  // A space as large as the matrix costs more than LAPACK's eigenvalues.
  EXPECT_EQ(factor_work(part_of(128), {64 * 3, 64 * 3}).space, 4.0 / 3 * 192 * 192 * 192);
  EXPECT_EQ(factor_work(part_of(7, lowrank::Mode::fast), {1280, 5120}).gram, 4 * m * n * v);
  EXPECT_EQ(factor_work(part_of(7, lowrank::Mode::exact), {1280, 5120}).gram, m * m * n);
}

}  // namespace
}  // namespace koine::pipeline
