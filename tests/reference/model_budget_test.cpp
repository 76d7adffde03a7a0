#include <vector>

#include <gtest/gtest.h>

#include "sparse/keep_largest.hpp"

namespace koine::sparse {
namespace {

using Values = std::vector<float>;

/// M of several matrices under one budget of k, with L = 0.
std::vector<Values> merged(const std::vector<Values>& matrices, std::int64_t k) {
  Search search{.left = k};
  while (search.digit < kDigitCount) {
    Bins bins{};
    for (const Values& tau : matrices) count_digit(tau, {}, search, bins);
    search.narrow(bins);
  }
  std::vector<Standing> standings;
  for (const Values& tau : matrices) standings.push_back(compare_with(tau, {}, search.key));
  const auto shares = share_out(search, standings);
  std::vector<Values> result;
  for (std::size_t i = 0; i < matrices.size(); ++i) {
    result.emplace_back(matrices[i].size(), 0.0F);
    EXPECT_EQ(take_kept(matrices[i], result[i], shares[i]), shares[i].kept);
  }
  return result;
}

// Magnitudes, largest first: 9 (second), 4 (first), then 2 four times: once in the first matrix,
// once in the second, twice in the third.
const std::vector<Values> kThree{{1, -2, 4}, {9, 2}, {-2, 0.5, 2}};

TEST(ModelBudget, GoesWhereTheLargestAre) {
  EXPECT_EQ(merged(kThree, 1), (std::vector<Values>{{0, 0, 0}, {9, 0}, {0, 0, 0}}));
  EXPECT_EQ(merged(kThree, 2), (std::vector<Values>{{0, 0, 4}, {9, 0}, {0, 0, 0}}));
}

TEST(ModelBudget, EqualOnesGoToTheFirstMatrixThenTheLowestIndex) {
  EXPECT_EQ(merged(kThree, 3), (std::vector<Values>{{0, -2, 4}, {9, 0}, {0, 0, 0}}));
  EXPECT_EQ(merged(kThree, 4), (std::vector<Values>{{0, -2, 4}, {9, 2}, {0, 0, 0}}));
  EXPECT_EQ(merged(kThree, 5), (std::vector<Values>{{0, -2, 4}, {9, 2}, {-2, 0, 0}}));
  EXPECT_EQ(merged(kThree, 6), (std::vector<Values>{{0, -2, 4}, {9, 2}, {-2, 0, 2}}));
}

TEST(ModelBudget, AllAreKept) {
  EXPECT_EQ(merged(kThree, 8), kThree);
}

TEST(ModelBudget, SharesAreOnPaper) {
  const Search found{.left = 3, .key = 7, .digit = kDigitCount};
  const std::vector<Standing> standings{{5, 2}, {0, 0}, {1, 4}, {2, 1}};
  const std::vector<Threshold> want{{7, 2, 7}, {7, 0, 0}, {7, 1, 2}, {7, 0, 2}};
  EXPECT_EQ(share_out(found, standings), want);
}

}  // namespace
}  // namespace koine::sparse
