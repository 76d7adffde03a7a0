#include "lowrank/block_products.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "lowrank/tau_block.hpp"
#include "lowrank/tau_columns.hpp"
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

template <typename A, typename T>
void expect_same_bits_on_every_variant(const Extent& e) {
  const std::int64_t count = e.rows, rows = e.cols, step = rows + 3;  // further apart than long
  const auto a = numbers<A>(count * step, 1);
  const Columns<A> columns{a.data(), count, rows, step};
  const auto x = numbers<T>(rows * kStripe, 2), y = numbers<T>(count * kStripe, 3);
  const auto start = numbers<T>(rows * kStripe, 4);  // combinations are added to this
  Aligned<T> products, combined, combined_alone;
  for (const BlockProducts<A, T>& variant : block_products_variants<A, T>().all) {
    if (variant.inner_products == nullptr) continue;
    Aligned<T> one(y.size(), T{7}), other = start;
    variant.inner_products(columns, x.data(), one.data());
    variant.combine(columns, y.data(), Onto::out, other.data());
    Aligned<T> alone(other.size(), T{7});
    variant.combine(columns, y.data(), Onto::zero, alone.data());
    if (products.empty()) {
      products = one;
      combined = other;
      combined_alone = alone;
    }
    EXPECT_EQ(alone, combined_alone) << variant.name;
    EXPECT_EQ(one, products) << variant.name;
    EXPECT_EQ(other, combined) << variant.name;
  }
}

class BlockProductsOf : public testing::TestWithParam<Extent> {};

TEST_P(BlockProductsOf, EveryVariantGivesTheSameBits) {
  expect_same_bits_on_every_variant<float, float>(GetParam());
  expect_same_bits_on_every_variant<double, double>(GetParam());
  expect_same_bits_on_every_variant<float, double>(GetParam());
}

TEST_P(BlockProductsOf, ReadsAndWritesNothingElse) {
  const std::int64_t count = GetParam().rows, rows = GetParam().cols, step = rows + 3;
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  std::vector<double> a(static_cast<std::size_t>(count * step), kNan);
  for (std::int64_t k = 0; k < count; ++k)
    std::fill_n(a.begin() + k * step, rows, static_cast<double>(k));
  const Aligned<double> x(static_cast<std::size_t>(rows * kStripe), 1.0);
  for (const auto& variant : block_products_variants<double, double>().all) {
    if (variant.inner_products == nullptr) continue;
    Aligned<double> y(static_cast<std::size_t>(count * kStripe + 8), -1.0);
    variant.inner_products({a.data(), count, rows, step}, x.data(), y.data());
    for (std::int64_t k = 0; k < count; ++k)
      EXPECT_EQ(y[static_cast<std::size_t>(k * kStripe)], static_cast<double>(k * rows));
    EXPECT_EQ(y[static_cast<std::size_t>(count * kStripe)], -1.0);
    std::fill(y.begin(), y.end(), 1.0);
    Aligned<double> out(static_cast<std::size_t>(rows * kStripe + 8), -1.0);
    variant.combine({a.data(), count, rows, step}, y.data(), Onto::out, out.data());
    const double sum = static_cast<double>(count * (count - 1)) / 2;
    for (std::int64_t i = 0; i < rows * kStripe; ++i)
      EXPECT_EQ(out[static_cast<std::size_t>(i)], sum - 1) << variant.name;
    EXPECT_EQ(out[static_cast<std::size_t>(rows * kStripe)], -1.0);
  }
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

/// Of one entry of A (A^T x) in float32. A^T x: the vector, a chain, the sum of the lanes, once for
/// all rows at a time; then A of it: a panel's chain, sixteen panels, a term for float64.
double roundings(std::int64_t short_side) {
  const std::int64_t rows = std::min(short_side, kRowsAtATime<float>);
  const std::int64_t chain = (rows + kChains<float> - 1) / kChains<float>;
  const std::int64_t parts = (short_side + kRowsAtATime<float> - 1) / kRowsAtATime<float>;
  return static_cast<double>(1 + chain + 4 + parts + kTauPanel + 16 + 1);
}

TEST_P(BlockProductsOf, MultipliesByTauTwice) {
  const auto [rows, cols] = GetParam();
  const auto tau = test::matrix_with(test::Spectrum::flat_noise, rows, cols);
  const ShortSideFirst side(MatrixView{tau.data(), rows, cols});
  for (const std::int64_t width : {1, 9, 16, 24}) {  // less than, all of and more than one stripe
    const auto random = numbers<double>(side.short_side * width, 5);
    const std::vector<double> block(random.begin(), random.end());
    std::vector<double> image(block.size());
    Workspace workspace;
    TauProducts(side, workspace).times_block(width, block.data(), image.data());
    const auto wanted = plain_image(side, width, block);
    // |A| |A|^T |block| bounds what the chains and the sums of some of them round.
    const double spread = 4 * static_cast<double>(side.long_side * side.short_side);
    const double bound = roundings(side.short_side) * 0x1p-24 * spread;
    for (std::size_t i = 0; i < image.size(); ++i) ASSERT_NEAR(image[i], wanted[i], bound) << i;
  }
}

TEST_P(BlockProductsOf, MultipliesByTauWithinABlock) {
  const auto [rows, cols] = GetParam();
  const auto tau = test::matrix_with(test::Spectrum::flat_noise, rows, cols);
  const ShortSideFirst side(MatrixView{tau.data(), rows, cols});
  const std::int64_t m = side.short_side;
  for (const std::int64_t width : {1, 8, 11, 24}) {
    const auto random = numbers<double>(m * width, 7);
    const std::vector<double> block(random.begin(), random.end());
    Workspace workspace;
    std::vector<double> inner(static_cast<std::size_t>(width * width));
    TauProducts(side, workspace).within_block(width, block.data(), inner.data());
    const auto image = plain_image(side, width, block);
    const double spread = 16 * static_cast<double>(side.long_side * m * m);
    for (std::int64_t j = 0; j < width; ++j) {
      for (std::int64_t i = 0; i < width; ++i) {
        double wanted = 0;
        for (std::int64_t k = 0; k < m; ++k)
          wanted += block[static_cast<std::size_t>(i * m + k)] *
                    image[static_cast<std::size_t>(j * m + k)];
        const double found = inner[static_cast<std::size_t>(j * width + i)];
        ASSERT_NEAR(found, wanted, 2 * roundings(m) * 0x1p-24 * spread) << i << " " << j;
        ASSERT_EQ(found, inner[static_cast<std::size_t>(i * width + j)]);
      }
    }
  }
}

TEST_P(BlockProductsOf, ProjectsAndJudgesInFloat64) {
  const auto [rows, cols] = GetParam();
  const auto tau = test::matrix_with(test::Spectrum::flat_noise, rows, cols);
  const ShortSideFirst side(MatrixView{tau.data(), rows, cols});
  const std::int64_t m = side.short_side, rung = std::min<std::int64_t>(m, 16);
  const auto random = numbers<double>(m * rung, 6);
  const std::vector<double> block(random.begin(), random.end());
  Workspace workspace;
  std::copy(block.begin(), block.end(), workspace.vectors.reserve(block.size()));
  workspace.values.reserve(static_cast<std::size_t>(rung));
  (void)columns_of(side, workspace);
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

// 1: nothing to share; 5, 17, 61: parts of vectors, columns that are left over; 300, 373, 800: more
// rows than are kept in the first cache, panels that are not full.
INSTANTIATE_TEST_SUITE_P(Shapes, BlockProductsOf,
                         testing::Values(Extent{1, 1}, Extent{5, 17}, Extent{17, 5},
                                         Extent{64, 300}, Extent{300, 64}, Extent{200, 200},
                                         Extent{300, 357}, Extent{257, 346}, Extent{300, 373},
                                         Extent{93, 61}, Extent{40, 800}, Extent{20, 48}),
                         [](const auto& row) { return testing::PrintToString(row.param); });

/// Of times_block and a vector of length 1, by the lengths of its chains (gram32.hpp: Higham).
double error_bound(const Extent& e, double tau_squared) {
  const double count = roundings(std::min(e.rows, e.cols));
  return count * 0x1p-24 / (1 - count * 0x1p-24) * tau_squared;
}

TEST(TauProducts, LiesWithinItsErrorBound) {
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
    TauProducts(side, workspace).times_block(1, x.data(), image.data());
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
