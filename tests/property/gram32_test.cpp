#include "lowrank/gram32.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "lowrank/gram_kernels.hpp"
#include "support/spectra.hpp"

namespace koine::lowrank {
namespace {

using test::Extent;
using test::Spectrum;

struct TileCase {
  std::int64_t terms, strips, rows, cols;
  bool is_added;
};
void PrintTo(const TileCase& c, std::ostream* out) {
  *out << c.terms << "_" << c.strips << "_" << c.rows << "x" << c.cols
       << (c.is_added ? "_added" : "");
}

class GramTiles : public testing::TestWithParam<TileCase> {};

TEST_P(GramTiles, EveryVariantGivesTheSameBitsAndNothingBesides) {
  const TileCase c = GetParam();
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  using Aligned = std::vector<float, CacheLineAllocator<float>>;
  Aligned left(static_cast<std::size_t>(c.terms * kStripRows));
  Aligned right(static_cast<std::size_t>(c.terms * c.strips * kStripRows));
  for (float& x : left) x = normal(generator);
  for (float& x : right) x = normal(generator);
  constexpr std::int64_t kStep = 53;
  const std::vector<double> before(static_cast<std::size_t>(kStripRows * kStep), 0.1);
  std::vector<double> first;
  for (const GramVariant& variant : gram_variants().all) {
    if (variant.kernel == nullptr) continue;
    std::vector<double> out = before, mirrored(static_cast<std::size_t>(kGramColumns * kStep), 0.1);
    variant.kernel({.left = left.data(),
                    .right = right.data(),
                    .terms = c.terms,
                    .strips = c.strips,
                    .rows = c.rows,
                    .cols = c.cols,
                    .out = out.data(),
                    .mirrored = mirrored.data(),
                    .out_step = kStep,
                    .is_added = c.is_added});
    for (std::int64_t i = 0; i < kStripRows; ++i) {
      for (std::int64_t j = 0; j < kStep; ++j) {
        const double found = out[static_cast<std::size_t>(i * kStep + j)];
        if (i >= c.rows || j >= c.cols) {
          ASSERT_EQ(found, 0.1) << variant.name << " wrote outside at " << i << " " << j;
        } else {
          ASSERT_NE(found, 0.1) << variant.name;
          ASSERT_EQ(mirrored[static_cast<std::size_t>(j * kStep + i)], found) << variant.name;
        }
      }
    }
    if (first.empty()) first = out;
    EXPECT_EQ(out, first) << variant.name;
  }
}

// Whole tiles, one of each number of strips, tiles that stick out, one term.
INSTANTIATE_TEST_SUITE_P(Rows, GramTiles,
                         testing::Values(TileCase{256, 3, 16, 48, false},
                                         TileCase{256, 3, 16, 48, true},
                                         TileCase{131, 2, 9, 32, true}, TileCase{17, 1, 3, 5, true},
                                         TileCase{1, 3, 1, 33, false}),
                         [](const auto& row) { return testing::PrintToString(row.param); });

/// |G32 - G|_F, G in float64.
double distance(const ShortSideFirst& side) {
  Workspace single, twice;
  gram_matrix_float32(side, single);
  gram_matrix(side, twice);
  const std::int64_t m = side.short_side;
  double sum = 0;
  for (std::int64_t j = 0; j < m; ++j) {
    for (std::int64_t i = j; i < m; ++i) {
      const double e = single.gram.data()[j * m + i] - twice.gram.data()[j * m + i];
      sum += (i == j ? 1 : 2) * e * e;
    }
  }
  return std::sqrt(sum);
}

double sum_of_squares(const std::vector<float>& tau) {
  double sum = 0;
  for (const float x : tau) sum += static_cast<double>(x) * static_cast<double>(x);
  return sum;
}

class Gram32 : public testing::TestWithParam<Extent> {};

TEST_P(Gram32, LiesWithinItsErrorBound) {
  const auto [rows, cols] = GetParam();
  use_one_blas_thread();
  for (const Spectrum spectrum :
       {Spectrum::flat_noise, Spectrum::power_two, Spectrum::fp16_delta}) {
    for (const float scale : {1.0F, 1e-18F}) {  // squares of 1e-36: some of their terms underflow
      auto tau = test::matrix_with(spectrum, rows, cols);
      for (float& x : tau) x *= scale;
      const ShortSideFirst side(MatrixView{tau.data(), rows, cols});
      EXPECT_LE(distance(side), float32_gram_error(rows * cols, sum_of_squares(tau)));
    }
  }
}

// 1: nothing to share; odd sizes around a strip and a tile; chains that are not full.
INSTANTIATE_TEST_SUITE_P(Shapes, Gram32,
                         testing::Values(Extent{1, 1}, Extent{5, 17}, Extent{17, 5},
                                         Extent{49, 300}, Extent{300, 49}, Extent{129, 513},
                                         Extent{200, 200}),
                         [](const auto& row) { return testing::PrintToString(row.param); });

TEST(Gram32Bound, HoldsWhereATenthOfItWouldNot) {
  use_one_blas_thread();
  // Equal terms are rounded the same way over long stretches of a chain.
  const std::vector<float> tau(200 * 200, 1.0F + 0x1p-9F);
  const ShortSideFirst side(MatrixView{tau.data(), 200, 200});
  const double bound = float32_gram_error(200 * 200, sum_of_squares(tau));
  EXPECT_LE(distance(side), bound);
  EXPECT_GT(distance(side), bound / 10);
}

TEST(Gram32Bound, IsNotUsedBeyondTheRangeOfFloat32) {
  constexpr std::int64_t kEntries = 48;
  EXPECT_TRUE(squares_fit_float32(kEntries, 48));
  EXPECT_TRUE(squares_fit_float32(kEntries, 1e-30));
  EXPECT_FALSE(squares_fit_float32(kEntries, 1e-40)) << "denormal squares";
  EXPECT_FALSE(squares_fit_float32(kEntries, 1e39)) << "a sum could overflow";
}

}  // namespace
}  // namespace koine::lowrank
