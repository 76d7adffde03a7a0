#include "lowrank/truncated_svd.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "lowrank/blas_kernels.hpp"
#include "lowrank/product.hpp"

namespace koine::lowrank {
namespace {

Factors factorise(const std::vector<float>& tau, std::int64_t rows, std::int64_t cols,
                  const RankTarget& target) {
  use_one_blas_thread();
  Workspace workspace;
  return truncated_svd({tau.data(), rows, cols}, target, {}, workspace);
}

std::vector<float> low_rank(const Factors& factors) {
  std::vector<float> low(static_cast<std::size_t>(factors.rows * factors.cols));
  product(factors, low);
  return low;
}

TEST(TruncatedSvd, OfADiagonalKeepsTheLargestEntries) {
  const std::vector<float> tau{0, 0, 0,  1,  //
                               0, 4, 0,  0,  //
                               0, 0, -3, 0,  //
                               2, 0, 0,  0};
  const Factors factors = factorise(tau, 4, 4, {.number = {2}});
  EXPECT_EQ(factors.kept, 2);
  EXPECT_EQ(low_rank(factors),
            (std::vector<float>{0, 0, 0, 0, 0, 4, 0, 0, 0, 0, -3, 0, 0, 0, 0, 0}));
  EXPECT_EQ(factors.sigma, (std::vector<double>{4, 3, 2, 1}));
  EXPECT_DOUBLE_EQ(factors.tau_squared, 30);
  EXPECT_DOUBLE_EQ(factors.energy, 25);
  EXPECT_DOUBLE_EQ(factors.gap, 0.25);
  EXPECT_TRUE(factors.certified);
  EXPECT_EQ(factors.method, "host:dsyevr");
  EXPECT_EQ(factors.fallbacks, 0);
}

TEST(TruncatedSvd, StoresTheShortSideInU) {
  const std::vector<float> wide{3, 0, 0, 0,  //
                                0, 0, 2, 0};
  const Factors factors = factorise(wide, 2, 4, {.number = {1}});
  EXPECT_FALSE(factors.is_transposed);
  EXPECT_EQ(factors.u, (std::vector<float>{1, 0}));
  EXPECT_EQ(factors.b, (std::vector<float>{3, 0, 0, 0}));
  const std::vector<float> tall{3, 0, 0, 0, 0, 2, 0, 0};
  const Factors of_tall = factorise(tall, 4, 2, {.number = {1}});
  EXPECT_TRUE(of_tall.is_transposed);
  EXPECT_EQ(of_tall.u, factors.u);
  EXPECT_EQ(of_tall.b, factors.b);
  EXPECT_EQ(low_rank(of_tall), (std::vector<float>{3, 0, 0, 0, 0, 0, 0, 0}));
}

TEST(TruncatedSvd, OfRankOneIsTheMatrixItself) {
  const std::vector<float> tau{2, 4, 4, -1, -2, -2, 2, 4, 4};  // (2, -1, 2)^T (1, 2, 2)
  const Factors factors = factorise(tau, 3, 3, {.number = {1}});
  // One rounding of U, one of B, one of their product: 3 half units of the largest entry.
  const float bound = 3 * 0x1p-24F * 4;
  for (std::size_t i = 0; i < tau.size(); ++i) EXPECT_NEAR(low_rank(factors)[i], tau[i], bound);
  EXPECT_TRUE(factors.is_transposed);  // U is of tau^T: (1, 2, 2) / 3
  EXPECT_NEAR(factors.u[0], 1.0 / 3.0, 0x1p-24);
  EXPECT_NEAR(factors.sigma[0], 9.0, 1e-14 * 9);
}

TEST(TruncatedSvd, DropsTripletsThatTauDoesNotHave) {
  const std::vector<float> tau{2, 4, 4, -1, -2, -2, 2, 4, 4};
  const Factors factors = factorise(tau, 3, 3, {.number = {2}});
  EXPECT_EQ(factors.kept, 1);
  EXPECT_EQ(factors.u.size(), 3U);
  EXPECT_EQ(factors.b.size(), 3U);
  EXPECT_TRUE(factors.certified);
}

TEST(TruncatedSvd, OfZeroKeepsNothing) {
  const Factors factors = factorise(std::vector<float>(12, 0.0F), 3, 4, {.number = {2}});
  EXPECT_EQ(factors.kept, 0);
  EXPECT_EQ(factors.method, "none");
  EXPECT_TRUE(factors.certified);
  EXPECT_EQ(low_rank(factors), std::vector<float>(12, 0.0F));
}

TEST(TruncatedSvd, FirstOfEqualEntriesOfUIsPositive) {
  const std::vector<float> tau{-1, 1, 1, -1};  // u = (1, -1) / sqrt(2) or its negative
  const Factors factors = factorise(tau, 2, 2, {.number = {1}});
  EXPECT_GT(factors.u[0], 0);
  EXPECT_LT(factors.u[1], 0);
  EXPECT_LT(factors.b[0], 0);
}

TEST(TruncatedSvd, EnergyPicksTheFewestTriplets) {
  const std::vector<float> tau{4, 0, 0, 0, 2, 0, 0, 0, 1};  // shares 16, 4 and 1 of 21
  const auto kept = [&](double share) {
    return factorise(tau, 3, 3, {.number = {}, .energy = share}).kept;
  };
  EXPECT_EQ(kept(0.5), 1);
  EXPECT_EQ(kept(0.76), 1);
  EXPECT_EQ(kept(0.77), 2);
  EXPECT_EQ(kept(0.96), 3);
  EXPECT_EQ(kept(1.0), 3);
}

TEST(Rung, IsTheNextStepUp) {
  EXPECT_EQ(rung_of(1, 1280), 8);
  EXPECT_EQ(rung_of(8, 1280), 8);
  EXPECT_EQ(rung_of(9, 1280), 16);
  EXPECT_EQ(rung_of(128, 1280), 128);
  EXPECT_EQ(rung_of(129, 1280), 1280);
  EXPECT_EQ(rung_of(3, 6), 6);
  EXPECT_EQ(rung_of(8, 8), 8);
}

TEST(Blas, IsNamedWithItsCoreType) {
  use_one_blas_thread();
  const std::string description = blas_description();
  EXPECT_EQ(description.rfind("OpenBLAS 0.", 0), 0U) << description;
  EXPECT_EQ(std::count(description.begin(), description.end(), ' '), 2) << description;
}

TEST(Blas, KernelsAreReplacedOnlyWhereTheyAreTooOldForTheCpu) {
  EXPECT_EQ(better_kernels("Prescott", true, true), "SkylakeX");
  EXPECT_EQ(better_kernels("Prescott", true, false), "Haswell");
  EXPECT_EQ(better_kernels("Sandybridge", true, false), "Haswell");
  EXPECT_EQ(better_kernels("Sandybridge", false, false), "");
  for (const char* good :
       {"Haswell", "Zen", "SkylakeX", "Cooperlake", "SapphireRapids", "neoversev1"})
    EXPECT_EQ(better_kernels(good, true, true), "") << good;
}

}  // namespace
}  // namespace koine::lowrank
