#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "lowrank/truncated_svd.hpp"
#include "support/spectra.hpp"

namespace koine::lowrank {
namespace {

using test::Spectrum;

/// The first `kept` triplets of factors with more.
Factors cut(const Factors& factors, std::int64_t kept) {
  Factors result = factors;
  const auto from = static_cast<std::size_t>(factors.kept), to = static_cast<std::size_t>(kept);
  result.kept = kept;
  result.u.clear();
  for (std::size_t i = 0; i < factors.u.size() / from; ++i) {
    for (std::size_t k = 0; k < to; ++k) result.u.push_back(factors.u[i * from + k]);
  }
  result.b.resize(factors.b.size() / from * to);
  return result;
}

void expect_same_bits(const Factors& a, const Factors& b) {
  EXPECT_EQ(a.kept, b.kept);
  EXPECT_EQ(a.u, b.u);
  EXPECT_EQ(a.b, b.b);
  EXPECT_EQ(a.sigma, b.sigma);
}

struct Shape2 {
  std::int64_t rows, cols;
};

class Rungs : public testing::TestWithParam<Spectrum> {};

TEST_P(Rungs, ARankIsCutFromItsRung) {
  use_one_blas_thread();
  Workspace workspace;
  // 1100: more than one panel. 44: `full` is the last rung, and its last block of B is not full.
  for (const Shape2 shape : {Shape2{80, 80}, Shape2{48, 1100}, Shape2{150, 44}}) {
    const auto tau = test::matrix_with(GetParam(), shape.rows, shape.cols);
    const MatrixView view{tau.data(), shape.rows, shape.cols};
    const std::int64_t full = std::min(shape.rows, shape.cols);
    for (const std::int64_t kept : {1, 7, 9, 16, 31, 40, 43}) {
      const std::int64_t rung = rung_of(kept, full);
      const Factors whole = truncated_svd(view, {.number = {rung}}, {}, workspace);
      const Factors part = truncated_svd(view, {.number = {kept}}, {}, workspace);
      expect_same_bits(cut(whole, kept), part);
    }
  }
}

TEST_P(Rungs, BitsDoNotDependOnWhatWasFactorisedBefore) {
  use_one_blas_thread();
  const auto tau = test::matrix_with(GetParam(), 72, 110);
  const MatrixView view{tau.data(), 72, 110};
  Workspace fresh;
  const Factors alone = truncated_svd(view, {.number = {7}}, {}, fresh);
  Workspace used;
  for (const Shape2 shape : {Shape2{130, 90}, Shape2{20, 300}}) {
    const auto other = test::matrix_with(Spectrum::flat_noise, shape.rows, shape.cols);
    for (const Mode mode : {Mode::exact, Mode::certified}) {
      (void)truncated_svd({other.data(), shape.rows, shape.cols}, {.number = {5}}, {.mode = mode},
                          used);
    }
    expect_same_bits(truncated_svd(view, {.number = {7}}, {}, used), alone);
  }
}

TEST_P(Rungs, EnergyPicksTheFewestAndTheirBits) {
  use_one_blas_thread();
  const auto tau = test::matrix_with(GetParam(), 70, 100);
  const MatrixView view{tau.data(), 70, 100};
  const auto sigma = test::reference_singular_values(view);
  Workspace workspace;
  for (const double share : {0.05, 0.5, 0.9, 0.99}) {
    const Factors factors = truncated_svd(view, {.number = {}, .energy = share}, {}, workspace);
    const double wanted = share * factors.tau_squared;
    double sum = 0;
    for (std::int64_t i = 0; i < factors.kept; ++i)
      sum += std::pow(sigma[static_cast<std::size_t>(i)], 2);
    const double last = std::pow(sigma[static_cast<std::size_t>(factors.kept - 1)], 2);
    EXPECT_GE(sum, wanted * (1 - 1e-12)) << share;
    EXPECT_LT(sum - last, wanted * (1 + 1e-12)) << share;
    expect_same_bits(factors, truncated_svd(view, {.number = {factors.kept}}, {}, workspace));
  }
}

INSTANTIATE_TEST_SUITE_P(Spectra, Rungs,
                         testing::Values(Spectrum::flat_noise, Spectrum::power_half,
                                         Spectrum::spikes, Spectrum::fp16_delta),
                         [](const auto& row) { return testing::PrintToString(row.param); });

struct Work {
  Spectrum spectrum;
  Shape2 shape;
  std::int64_t kept;
  std::vector<float> tau{};
  Factors alone{};  ///< in a workspace of its own
};

// Spaces on tau and on G in float64; dsyevr and dsyevd; fall-backs between them.
TEST(Batch, AnyOrderOfWorkGivesTheSameBits) {
  use_one_blas_thread();
  std::vector<Work> work{
      {Spectrum::spikes, {200, 220}, 7},       {Spectrum::exponential, {330, 210}, 7},
      {Spectrum::exponential, {320, 321}, 32}, {Spectrum::clusters, {256, 256}, 7},
      {Spectrum::flat_noise, {200, 200}, 3},   {Spectrum::spikes, {64, 90}, 7},
      {Spectrum::tiny, {200, 230}, 1},         {Spectrum::spikes, {210, 850}, 16}};
  for (Work& w : work) w.tau = test::matrix_with(w.spectrum, w.shape.rows, w.shape.cols);
  for (const Mode mode : {Mode::certified, Mode::fast, Mode::exact}) {
    const auto run = [&](const Work& w, Workspace& workspace) {
      return truncated_svd({w.tau.data(), w.shape.rows, w.shape.cols}, {.number = {w.kept}},
                           {.mode = mode}, workspace);
    };
    for (Work& w : work) {
      Workspace fresh;
      w.alone = run(w, fresh);
    }
    std::mt19937 generator(7);
    Workspace shared;
    for (int turn = 0; turn < 2; ++turn) {
      std::shuffle(work.begin(), work.end(), generator);
      for (const Work& w : work) expect_same_bits(run(w, shared), w.alone);
    }
  }
}

TEST(Fallback, GoesThroughAllSolversAndSaysSo) {
  use_one_blas_thread();
  const auto tau = test::matrix_with(Spectrum::power_half, 50, 70);
  const MatrixView view{tau.data(), 50, 70};
  Workspace workspace;
  // No solver reaches a residual of 1e-30: the last answer is given as it is, without a
  // certificate.
  const Factors factors = truncated_svd(view, {.number = {7}}, {.tolerance = 1e-30}, workspace);
  EXPECT_EQ(factors.method, "host:dgesdd");
  EXPECT_EQ(factors.fallbacks, 2);
  EXPECT_FALSE(factors.certified);
  EXPECT_GT(factors.residual, 1e-30);
  const Factors usual = truncated_svd(view, {.number = {7}}, {}, workspace);
  EXPECT_EQ(usual.fallbacks, 0);
  ASSERT_EQ(factors.u.size(), usual.u.size());
  // The same triplets to well within float32: half a unit each.
  for (std::size_t i = 0; i < usual.u.size(); ++i) EXPECT_NEAR(factors.u[i], usual.u[i], 0x1p-23);
}

TEST(Scaling, ByAPowerOfTwoLeavesUAndScalesB) {
  use_one_blas_thread();
  const auto tau = test::matrix_with(Spectrum::power_half, 40, 60);
  Workspace workspace;
  const Factors plain = truncated_svd({tau.data(), 40, 60}, {.number = {7}}, {}, workspace);
  for (const int exponent : {-90, 90}) {
    auto scaled = tau;
    for (float& x : scaled) x = std::ldexp(x, exponent);
    const Factors factors = truncated_svd({scaled.data(), 40, 60}, {.number = {7}}, {}, workspace);
    EXPECT_TRUE(factors.certified);
    for (std::size_t i = 0; i < plain.u.size(); ++i) ASSERT_NEAR(factors.u[i], plain.u[i], 0x1p-24);
    for (std::size_t i = 0; i < plain.b.size(); ++i) {
      ASSERT_NEAR(std::ldexp(factors.b[i], -exponent), plain.b[i],
                  0x1p-24);  // entries are at most 1
    }
  }
}

}  // namespace
}  // namespace koine::lowrank
