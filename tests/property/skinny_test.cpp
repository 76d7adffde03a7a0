#include "lowrank/skinny.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "lowrank/through_tau.hpp"
#include "support/spectra.hpp"

namespace koine::lowrank {
namespace {

using test::Extent;

template <typename T>
using Aligned = std::vector<T, CacheLineAllocator<T>>;

template <typename T>
Aligned<T> numbers(std::int64_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal;
  Aligned<T> values(static_cast<std::size_t>(count));
  for (T& x : values) x = static_cast<T>(normal(generator));
  return values;
}

template <typename T>
void expect_same_bits_on_every_variant(const Extent& e) {
  constexpr std::int64_t kWidth = kStripe;
  const auto a = numbers<T>(e.rows * (e.cols + 3), 1);  // rows further apart than they are long
  const Piece<T> piece{a.data(), e.rows, e.cols, e.cols + 3};
  const auto short_in = numbers<T>(e.cols * kWidth, 2), long_in = numbers<T>(e.rows * kWidth, 3);
  const auto start = numbers<T>(std::max(e.rows, e.cols) * kWidth, 4);  // chains go on from here
  Aligned<T> times, transposed;
  int compared = 0;
  for (const SkinnyVariant<T>& variant : skinny_variants<T>().all) {
    if (variant.times == nullptr) continue;
    Aligned<T> one = start, other = start;
    variant.times(piece, short_in.data(), one.data());
    variant.transposed_times(piece, long_in.data(), other.data());
    if (compared++ == 0) {
      times = one;
      transposed = other;
    }
    EXPECT_EQ(one, times) << variant.name;
    EXPECT_EQ(other, transposed) << variant.name;
  }
}

class Skinny : public testing::TestWithParam<Extent> {};

TEST_P(Skinny, EveryVariantGivesTheSameBits) {
  expect_same_bits_on_every_variant<float>(GetParam());
  expect_same_bits_on_every_variant<double>(GetParam());
}

/// A A^T block in float64, entry by entry.
std::vector<double> plain_image(const ShortSideFirst& side, std::int64_t width,
                                const std::vector<double>& block) {
  const std::int64_t m = side.short_side, n = side.long_side;
  const auto at = [&](std::int64_t i, std::int64_t j) {
    return static_cast<double>(side.is_transposed ? side.tau.data[j * m + i]
                                                  : side.tau.data[i * n + j]);
  };
  std::vector<double> image(block.size(), 0);
  for (std::int64_t k = 0; k < width; ++k) {
    for (std::int64_t j = 0; j < n; ++j) {
      double y = 0;
      for (std::int64_t i = 0; i < m; ++i)
        y += at(i, j) * block[static_cast<std::size_t>(k * m + i)];
      for (std::int64_t i = 0; i < m; ++i)
        image[static_cast<std::size_t>(k * m + i)] += at(i, j) * y;
    }
  }
  return image;
}

TEST_P(Skinny, MultipliesByTauTwice) {
  const auto [rows, cols] = GetParam();
  const auto tau = test::matrix_with(test::Spectrum::flat_noise, rows, cols);
  const ShortSideFirst side(MatrixView{tau.data(), rows, cols});
  for (const std::int64_t width : {1, 9, 16, 24}) {  // less than, all of and more than one stripe
    const auto random = numbers<double>(side.short_side * width, 5);
    const std::vector<double> block(random.begin(), random.end());
    std::vector<double> image(block.size());
    Workspace workspace;
    gram_times_block(panels_of(side, workspace), width, block.data(), image.data(), workspace);
    const auto wanted = plain_image(side, width, block);
    // |A| |A|^T |block| bounds what the two chains and the sums of some of them round.
    const double spread = 4 * static_cast<double>(side.long_side * side.short_side);
    const double bound = static_cast<double>(kSkinnyChain + kTauPanel + 16) * 0x1p-24 * spread;
    for (std::size_t i = 0; i < image.size(); ++i) ASSERT_NEAR(image[i], wanted[i], bound) << i;
  }
}

TEST_P(Skinny, ProjectsAndJudgesInFloat64) {
  const auto [rows, cols] = GetParam();
  const auto tau = test::matrix_with(test::Spectrum::flat_noise, rows, cols);
  const ShortSideFirst side(MatrixView{tau.data(), rows, cols});
  const std::int64_t m = side.short_side, rung = std::min<std::int64_t>(m, 16);
  const auto random = numbers<double>(m * rung, 6);
  const std::vector<double> block(random.begin(), random.end());
  Workspace workspace;
  std::copy(block.begin(), block.end(), workspace.vectors.reserve(block.size()));
  workspace.values.reserve(static_cast<std::size_t>(rung));
  (void)panels_of(side, workspace);
  project_and_judge(side, rung, workspace);
  const auto wanted = plain_image(side, rung, block);
  const double unit = 4 * static_cast<double>(m + side.long_side) * 0x1p-53;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    ASSERT_NEAR(workspace.images.data()[i], wanted[i],
                unit * 40 * static_cast<double>(m * side.long_side));
  for (std::int64_t k = 0; k < rung; ++k) {  // |A^T u|^2 = <u, A A^T u>
    double energy = 0;
    for (std::int64_t i = 0; i < m; ++i)
      energy +=
          block[static_cast<std::size_t>(k * m + i)] * wanted[static_cast<std::size_t>(k * m + i)];
    EXPECT_NEAR(workspace.values.data()[k], energy, unit * 40 * energy);
  }
}

// 1: nothing to share; 5, 17: around the rows of a kernel; 200, 300: panels that are not full, and
// chains that are long enough for products by columns; 61: rows as far apart as a panel's.
INSTANTIATE_TEST_SUITE_P(Shapes, Skinny,
                         testing::Values(Extent{1, 1}, Extent{5, 17}, Extent{17, 5},
                                         Extent{64, 300}, Extent{300, 64}, Extent{200, 200},
                                         Extent{300, 357}, Extent{257, 346}, Extent{300, 373},
                                         Extent{93, 61}),
                         [](const auto& row) { return testing::PrintToString(row.param); });

/// Of gram_times_block and a vector of length 1, by the lengths of its chains (gram32.hpp: Higham).
/// A^T x: the vector rounded, a chain, and as many additions as there are chains; then A of it: a
/// panel's chain, the four panels of a sum, and a term for adding in float64.
double error_bound(const Extent& e, double tau_squared) {
  const std::int64_t chains = (std::min(e.rows, e.cols) + kSkinnyChain - 1) / kSkinnyChain;
  const auto roundings = static_cast<double>(1 + kSkinnyChain + chains + kTauPanel + 4 + 1);
  return roundings * 0x1p-24 / (1 - roundings * 0x1p-24) * tau_squared;
}

TEST(GramTimesBlock, LiesWithinItsErrorBound) {
  // Equal terms are rounded the same way over long stretches of a chain.
  const Extent e{300, 700};
  const std::vector<float> tau(static_cast<std::size_t>(e.rows * e.cols), 1.0F + 0x1p-9F);
  const double entry = 1.0 + 0x1p-9;
  const std::vector<double> x(static_cast<std::size_t>(e.rows),
                              1 / std::sqrt(static_cast<double>(e.rows)));
  for (const bool is_tall : {false, true}) {
    const ShortSideFirst side(is_tall ? MatrixView{tau.data(), e.cols, e.rows}
                                      : MatrixView{tau.data(), e.rows, e.cols});
    Workspace workspace;
    std::vector<double> image(x.size());
    gram_times_block(panels_of(side, workspace), 1, x.data(), image.data(), workspace);
    const double exact =
        entry * entry * static_cast<double>(e.cols) * std::sqrt(static_cast<double>(e.rows));
    double squared = 0;
    for (const double y : image) squared += (y - exact) * (y - exact);
    const double tau_squared = entry * entry * static_cast<double>(e.rows * e.cols);
    EXPECT_LE(std::sqrt(squared), error_bound(e, tau_squared));
    EXPECT_GT(std::sqrt(squared), error_bound(e, tau_squared) / 100);
  }
}

}  // namespace
}  // namespace koine::lowrank
