#include "methods/low_part.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "backend/elementwise.hpp"
#include "methods/residual_strips.hpp"
#include "sparse/keep_largest.hpp"
#include "sparse/kth_largest.hpp"

namespace koine::methods {
namespace {

using Values = std::vector<float>;

struct Case {
  std::int64_t rows, cols, kept;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.rows << "x" << c.cols << " kept " << c.kept;
}

Values normal_values(std::int64_t count, float scale, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<float> normal;
  Values values(static_cast<std::size_t>(count));
  for (float& x : values) x = scale * normal(generator);
  return values;
}

lowrank::Factors factors_of(const Case& c) {
  lowrank::Factors factors;
  factors.rows = c.rows;
  factors.cols = c.cols;
  factors.kept = c.kept;
  factors.is_transposed = is_transposed(c.rows, c.cols);
  factors.u = normal_values(std::min(c.rows, c.cols) * c.kept, 1, 1);
  factors.b = normal_values(std::max(c.rows, c.cols) * c.kept, 1e-3F, 2);
  return factors;
}

Values stored(const LowPart& low) {
  Values values(static_cast<std::size_t>(low.tau().size()), std::nanf(""));
  low.store(values);
  return values;
}

/// L from `first` on, strip after strip.
Values by_strips(LowPart& low, std::int64_t first) {
  Values values;
  while (first < low.tau().size()) {
    const auto part = low.from(first);
    values.insert(values.end(), part.begin(), part.end());
    first += static_cast<std::int64_t>(part.size());
  }
  return values;
}

class LowParts : public testing::TestWithParam<Case> {
 protected:
  const Case& shape = GetParam();
  Values values = normal_values(shape.rows * shape.cols, 2e-3F, 3);
  MatrixView tau{values.data(), shape.rows, shape.cols};
};

TEST_P(LowParts, StripsAreTheStoredProduct) {
  LowPart low(tau, factors_of(shape));
  const Values expected = stored(low);
  EXPECT_EQ(by_strips(low, 0), expected);
  const double squared = backend::sum_of_squares(expected);
  EXPECT_EQ(low.squared(), squared);
  EXPECT_EQ(low.store(values), squared);
}

TEST_P(LowParts, AnyElementCanBeAskedForInAnyOrder) {
  LowPart low(tau, factors_of(shape));
  const Values expected = stored(low);
  for (const std::int64_t first : {tau.size() - 1, tau.size() / 2, std::int64_t{0}, tau.size() / 3})
    EXPECT_EQ(by_strips(low, first), Values(expected.begin() + first, expected.end())) << first;
  EXPECT_EQ(low.squared(), backend::sum_of_squares(expected)) << "strips made twice count once";
}

TEST_P(LowParts, MovingKeepsTheProduct) {
  LowPart first(tau, factors_of(shape));
  const Values expected = stored(first);
  LowPart second;
  second = std::move(first);
  EXPECT_EQ(by_strips(second, 0), expected);
}

TEST_P(LowParts, NothingIsZeroAndWholeIsTau) {
  LowPart nothing = LowPart::nothing(tau), whole = LowPart::whole(tau);
  EXPECT_TRUE(nothing.is_nothing());
  EXPECT_FALSE(whole.is_nothing());
  EXPECT_EQ(by_strips(nothing, 0), Values(values.size(), 0.0F));
  EXPECT_EQ(by_strips(whole, 1), Values(values.begin() + 1, values.end()));
  EXPECT_EQ(stored(nothing), Values(values.size(), 0.0F));
  EXPECT_EQ(stored(whole), values);
}

TEST_P(LowParts, StripsHaveTheThresholdOfTheStoredProduct) {
  LowPart low(tau, factors_of(shape));
  const Values l = stored(low);
  ResidualStrips residual(low);
  for (const double density : {0.0, 0.001, 0.2, 0.5, 0.999, 1.0}) {
    const std::int64_t k = sparse::keep_count(tau.size(), density);
    const sparse::Threshold expected = sparse::kth_by_digits(values, l, k);
    EXPECT_EQ(sparse::kth_largest(residual, k), expected) << density;
    EXPECT_EQ(sparse::kth_by_digits(residual, k), expected) << density;
  }
}

// tau of few values and L = 0: no bracket is narrow, and all that is left are ties.
TEST_P(LowParts, TiesAreThoseOfTheStoredProduct) {
  for (float& x : values) x = std::round(x * 1e3F);
  lowrank::Factors factors = factors_of(shape);
  std::ranges::fill(factors.b, 0.0F);
  LowPart low(tau, std::move(factors));
  ResidualStrips residual(low);
  for (const double density : {0.001, 0.2, 0.7}) {
    const std::int64_t k = sparse::keep_count(tau.size(), density);
    EXPECT_EQ(sparse::kth_largest(residual, k), sparse::kth_by_digits(values, {}, k)) << density;
  }
}

// Large just where the sample looks: the k-th is not near the sample's.
TEST_P(LowParts, ASampleThatMisleadsChangesNothing) {
  Values marked = values;
  for (std::size_t i = 0; i < marked.size(); ++i) marked[i] = static_cast<float>(i + 1);
  lowrank::Factors factors = factors_of(shape);
  std::ranges::fill(factors.b, 0.0F);
  LowPart places({marked.data(), shape.rows, shape.cols}, factors);
  for (const float place : ResidualStrips(places).sample()) {
    float& x = values[static_cast<std::size_t>(place) - 1];
    x = 9.0F + std::fabs(x);
  }
  LowPart low(tau, std::move(factors));
  ResidualStrips residual(low);
  for (const double density : {0.01, 0.2, 0.5}) {
    const std::int64_t k = sparse::keep_count(tau.size(), density);
    EXPECT_EQ(sparse::kth_largest(residual, k), sparse::kth_by_digits(values, {}, k)) << density;
  }
}

void expect_every_column(const Case& shape) {
  Values columns(static_cast<std::size_t>(shape.rows * shape.cols));
  for (std::size_t i = 0; i < columns.size(); ++i)
    columns[i] = static_cast<float>(static_cast<std::int64_t>(i) % shape.cols);
  lowrank::Factors factors = factors_of(shape);
  std::ranges::fill(factors.b, 0.0F);
  LowPart low({columns.data(), shape.rows, shape.cols}, std::move(factors));
  Values met = ResidualStrips(low).sample();
  EXPECT_NEAR(static_cast<double>(met.size()), static_cast<double>(columns.size()) / 88,
              static_cast<double>(columns.size()) / 200);
  std::ranges::sort(met);
  met.erase(std::unique(met.begin(), met.end()), met.end());
  EXPECT_EQ(static_cast<std::int64_t>(met.size()), shape.cols);
}

TEST(ResidualStrips, TheSampleMeetsEveryColumn) {
  for (const Case shape :
       {Case{768, 768, 7}, Case{150, 704, 7}, Case{704, 150, 7}, Case{131, 1030, 64}})
    expect_every_column(shape);
}

// Around strips of 8 rows and (from 65536 entries of the right factor on) of 64, both orientations,
// tiles that stick out, as many tiles as the sample's step, no term.
INSTANTIATE_TEST_SUITE_P(Shapes, LowParts,
                         testing::Values(Case{1, 1, 1}, Case{8, 64, 2}, Case{7, 300, 3},
                                         Case{300, 7, 3}, Case{131, 200, 33}, Case{200, 131, 33},
                                         Case{150, 704, 7}, Case{704, 150, 7}, Case{768, 768, 7},
                                         Case{131, 1030, 64}, Case{1031, 1030, 64},
                                         Case{20, 30, 0}));

}  // namespace
}  // namespace koine::methods
