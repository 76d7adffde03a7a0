#include "lowrank/rounded_gram.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "lowrank/rounded_products.hpp"
#include "support/spectra.hpp"

namespace koine::lowrank {
namespace {

using test::Extent;
using test::Spectrum;

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

/// A row of A and what it is rounded to, by the definition.
struct Row {
  std::vector<double> terms, integers;
  double unit = 0;
};

std::vector<Row> rounded_rows(const ShortSideFirst& side) {
  std::vector<Row> rows(as_size(side.short_side));
  for (std::int64_t i = 0; i < side.short_side; ++i) {
    Row& row = rows[as_size(i)];
    double squared = 0, largest = 0;
    for (std::int64_t j = 0; j < side.long_side; ++j) {
      const auto x = static_cast<double>(
          side.tau.data[side.is_transposed ? j * side.short_side + i : i * side.long_side + j]);
      row.terms.push_back(x);
      squared += x * x;
      largest = std::max(largest, std::fabs(x));
    }
    const double wanted = std::min(45000 / std::sqrt(squared), 16382.5 / largest);
    const bool fits = wanted < 3.4e38;
    const float scale = fits ? static_cast<float>(wanted) : 0.0F;
    row.unit = fits ? 1 / static_cast<double>(scale) : 0;
    for (const double x : row.terms)
      row.integers.push_back(std::nearbyint(static_cast<double>(static_cast<float>(x) * scale)));
  }
  return rows;
}

/// K of a matrix against its definition: entry by entry, and what is lost.
void expect_as_defined(const std::vector<float>& tau, const Extent& e) {
  const ShortSideFirst side(MatrixView{tau.data(), e.rows, e.cols});
  Workspace workspace;
  const std::size_t more = as_size(400) * as_size(400);  // what was there before is not read
  std::fill_n(workspace.coarse.gram.reserve(more), more, std::nanf(""));
  rounded_gram(side, workspace);
  const std::vector<Row> rows = rounded_rows(side);
  const std::int64_t m = side.short_side;
  double lost = 0, squared = 0, missing = 0;
  for (const Row& row : rows) {
    for (std::size_t k = 0; k < row.terms.size(); ++k)
      lost += std::pow(row.terms[k] - row.integers[k] * row.unit, 2);
  }
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < m; ++j) {
      const Row &a = rows[as_size(i)], &b = rows[as_size(j)];
      double sum = 0;
      for (std::size_t k = 0; k < a.integers.size(); ++k) sum += a.integers[k] * b.integers[k];
      const double entry = sum * (a.unit * b.unit);
      const float found = rounded_entry(m, i, j, workspace);
      ASSERT_EQ(found, static_cast<float>(entry)) << i << " " << j;
      squared += static_cast<double>(found) * static_cast<double>(found);
      missing += std::pow(static_cast<double>(found) - entry, 2);
    }
  }
  const Coarse& coarse = workspace.coarse;
  EXPECT_GE(coarse.lost, std::sqrt(lost));
  EXPECT_LE(coarse.lost, std::sqrt(lost) * 1.01);
  EXPECT_NEAR(coarse.squared, squared, 1e-12 * squared);
  EXPECT_GE(coarse.error, std::sqrt(missing));
  EXPECT_LE(coarse.error, 1e-7 * std::sqrt(squared));
}

class RoundedGram : public testing::TestWithParam<Extent> {};

TEST_P(RoundedGram, IsAsDefined) {
  const Extent& e = GetParam();
  for (const Spectrum spectrum : {Spectrum::spikes, Spectrum::flat_noise, Spectrum::fp16_delta})
    expect_as_defined(test::matrix_with(spectrum, e.rows, e.cols), e);
}

TEST_P(RoundedGram, CountsRoundingThatGoesOneWay) {  // entries are all of one size
  const Extent& e = GetParam();
  std::vector<float> tau(as_size(e.rows * e.cols));
  for (std::size_t i = 0; i < tau.size(); ++i) tau[i] = i * i % 7 < 3 ? 1.0F : -1.0F;
  expect_as_defined(tau, e);
}

TEST_P(RoundedGram, HoldsForRowsOfAnyKind) {
  const Extent& e = GetParam();
  const bool is_tall = e.rows > e.cols;
  std::vector<float> tau = test::matrix_with(Spectrum::flat_noise, e.rows, e.cols);
  const auto entry = [&](std::int64_t i, std::int64_t j) -> float& {
    return tau[as_size(is_tall ? j * e.cols + i : i * e.cols + j)];
  };
  for (std::int64_t i = 0; i < 24; ++i)  // one entry that outweighs its row: not above 16383
    entry(i, 2 * i) += 300.0F + static_cast<float>(i);
  for (std::int64_t j = 0; j < std::max(e.rows, e.cols); ++j) {
    entry(30, j) = 0;        // nothing to scale
    entry(31, j) *= 1e-36F;  // no float32 scales it
    entry(32, j) *= 1e-4F;
    entry(33, j) *= 10.0F;
  }
  expect_as_defined(tau, e);
}

TEST_P(RoundedGram, LosesWhatNoFloat32Scales) {
  const Extent& e = GetParam();
  std::vector<float> tau = test::matrix_with(Spectrum::flat_noise, e.rows, e.cols);
  double squared = 0;
  for (float& x : tau) {
    x *= 1e-36F;
    squared += static_cast<double>(x) * static_cast<double>(x);
  }
  Workspace workspace;
  rounded_gram(ShortSideFirst(MatrixView{tau.data(), e.rows, e.cols}), workspace);
  EXPECT_GE(workspace.coarse.lost, std::sqrt(squared));
  EXPECT_EQ(workspace.coarse.squared, 0);
}

// Around a strip, a tile and a panel, both ways round.
INSTANTIATE_TEST_SUITE_P(Shapes, RoundedGram,
                         testing::Values(Extent{200, 331}, Extent{331, 200}, Extent{256, 256},
                                         Extent{259, 257}),
                         [](const auto& row) { return testing::PrintToString(row.param); });

}  // namespace
}  // namespace koine::lowrank
