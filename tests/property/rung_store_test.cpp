#include <map>

#include <gtest/gtest.h>

#include "lowrank/rung.hpp"
#include "support/spectra.hpp"

/// Factors that come from a kept rung have the bits of a factorisation for the rank alone.
namespace koine::lowrank {
namespace {

using test::Spectrum;

class MemoryStore {
 public:
  RungStore store() {
    RungStore store;
    store.find = [this](std::int64_t rung) {
      const auto found = rungs_.find(rung);
      return found == rungs_.end() ? std::nullopt : std::optional(found->second);
    };
    store.keep = [this](const Rung& rung) {
      rungs_[rung.rung] = rung;
      ++made;
    };
    return store;
  }
  int made = 0;

 private:
  std::map<std::int64_t, Rung> rungs_;
};

void expect_same(const Factors& a, const Factors& b) {
  EXPECT_EQ(a.rows, b.rows);
  EXPECT_EQ(a.cols, b.cols);
  EXPECT_EQ(a.kept, b.kept);
  EXPECT_EQ(a.is_transposed, b.is_transposed);
  EXPECT_EQ(a.u, b.u);
  EXPECT_EQ(a.b, b.b);
  EXPECT_EQ(a.sigma, b.sigma);
  EXPECT_EQ(a.tau_squared, b.tau_squared);
  EXPECT_EQ(a.energy, b.energy);
  EXPECT_EQ(a.residual, b.residual);
  EXPECT_EQ(a.gap, b.gap);
  EXPECT_EQ(a.certified, b.certified);
  EXPECT_EQ(a.certificate, b.certificate);
  EXPECT_EQ(a.method, b.method);
  EXPECT_EQ(a.iterations, b.iterations);
  EXPECT_EQ(a.fallbacks, b.fallbacks);
}

class Kept : public testing::TestWithParam<std::tuple<Spectrum, Mode>> {};

const std::vector<RankTarget> kTargets{{{1}, 0},  {{3}, 0},   {{7}, 0},  {{8}, 0},  {{9}, 0},
                                       {{16}, 0}, {{100}, 0}, {{}, 0.3}, {{}, 0.9}, {{2}, 0}};

TEST_P(Kept, ColdWarmAndExpectedGiveTheBitsOfARankAlone) {
  use_one_blas_thread();
  const auto [spectrum, mode] = GetParam();
  Workspace workspace;
  // 256: wide enough for Krylov spaces at rung 8 and 16; 120: LAPACK; both orientations.
  for (const auto& [rows, cols] : {std::pair{256L, 300L}, {310L, 256L}, {120L, 130L}}) {
    const auto tau = test::matrix_with(spectrum, rows, cols);
    const MatrixView view{tau.data(), rows, cols};
    MemoryStore cold, expected;
    RungStore one_by_one = cold.store(), at_once = expected.store();
    at_once.also = kTargets;
    for (const RankTarget& target : kTargets) {
      const Factors alone = truncated_svd(view, target, {.mode = mode}, workspace);
      for (const RungStore* store : {&one_by_one, &at_once}) {
        expect_same(truncated_svd(view, target, {.mode = mode}, workspace, store), alone);
        expect_same(truncated_svd(view, target, {.mode = mode}, workspace, store), alone);
      }
    }
    EXPECT_LE(expected.made, cold.made);
    EXPECT_LE(expected.made, 6) << "one factorisation a rung";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Spectra, Kept,
    testing::Combine(testing::Values(Spectrum::flat_noise, Spectrum::power_half, Spectrum::spikes,
                                     Spectrum::fp16_delta),
                     testing::Values(Mode::certified, Mode::fast, Mode::exact)));

TEST(KeptRungs, AnAskedRankIsNotSolvedAgain) {
  use_one_blas_thread();
  const auto tau = test::matrix_with(Spectrum::power_half, 256, 300);
  const MatrixView view{tau.data(), 256, 300};
  Workspace workspace;
  MemoryStore memory;
  RungStore store = memory.store();
  store.also = {{{3}, 0}, {{7}, 0}};
  (void)truncated_svd(view, {{7}, 0}, {}, workspace, &store);
  (void)truncated_svd(view, {{3}, 0}, {}, workspace, &store);
  EXPECT_EQ(memory.made, 1);
  (void)truncated_svd(view, {{5}, 0}, {}, workspace, &store);  // nobody spoke of it
  EXPECT_EQ(memory.made, 2);
  (void)truncated_svd(view, {{3}, 0}, {}, workspace, &store);  // still known
  EXPECT_EQ(memory.made, 2);
}

TEST(KeptRungs, ZeroNeedsNone) {
  use_one_blas_thread();
  const std::vector<float> zero(40 * 50, 0.0F);
  Workspace workspace;
  MemoryStore memory;
  const RungStore store = memory.store();
  EXPECT_EQ(truncated_svd({zero.data(), 40, 50}, {{7}, 0}, {}, workspace, &store).method, "none");
  EXPECT_EQ(memory.made, 0);
}

}  // namespace
}  // namespace koine::lowrank
