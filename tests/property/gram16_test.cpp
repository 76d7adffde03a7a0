#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "lowrank/aligned.hpp"
#include "lowrank/gram16_kernels.hpp"

namespace koine::lowrank {
namespace {

template <typename T>
using Aligned = std::vector<T, CacheLineAllocator<T>>;

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

std::int64_t half_of(TermPair pair, bool is_high) {
  return static_cast<std::int16_t>(is_high ? pair >> 16 : pair & 0xFFFF);
}

/// A row of 16 bits, of a length just below 46340, in a strip of [pairs, 16].
void fill_row(std::int64_t pairs, std::int64_t row, unsigned seed, TermPair* strip) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal;
  std::vector<double> x(as_size(2 * pairs));
  double squared = 0;
  for (double& value : x) {
    value = normal(generator);
    squared += value * value;
  }
  const double scale = 46000 / std::sqrt(squared);
  const auto half = [&](std::int64_t k) {
    return static_cast<TermPair>(
        static_cast<std::int16_t>(std::clamp(x[as_size(k)] * scale, -16383.0, 16383.0)));
  };
  for (std::int64_t k = 0; k < pairs; ++k)
    strip[k * kStripRows + row] = (half(2 * k) & 0xFFFF) | half(2 * k + 1) << 16;
}

/// Of every row, the sum of <even pair, odd pair>.
std::vector<std::int32_t> inner_of(std::int64_t pairs, std::int64_t strips,
                                   const Aligned<TermPair>& q) {
  std::vector<std::int32_t> inner(as_size(strips * kStripRows), 0);
  for (std::int64_t row = 0; row < strips * kStripRows; ++row) {
    const TermPair* strip = q.data() + row / kStripRows * pairs * kStripRows + row % kStripRows;
    for (std::int64_t k = 0; k < pairs; k += 2) {
      const TermPair even = strip[k * kStripRows], odd = strip[(k + 1) * kStripRows];
      inner[as_size(row)] += static_cast<std::int32_t>(half_of(even, false) * half_of(odd, false) +
                                                       half_of(even, true) * half_of(odd, true));
    }
  }
  return inner;
}

class Gram16 : public testing::TestWithParam<std::int64_t> {};

TEST_P(Gram16, EveryVariantIsExact) {
  const std::int64_t pairs = GetParam();
  for (std::int64_t strips = 1; strips <= kTileStrips; ++strips) {
    Aligned<TermPair> left(as_size(pairs * kStripRows)),
        right(as_size(pairs * kStripRows * strips));
    for (std::int64_t i = 0; i < kStripRows; ++i) fill_row(pairs, i, 1, left.data());
    for (std::int64_t j = 0; j < strips * kStripRows; ++j)
      fill_row(pairs, j % kStripRows, j < 5 ? 1 : static_cast<unsigned>(j),  // equal rows: longest
               right.data() + j / kStripRows * pairs * kStripRows);
    const auto left_inner = inner_of(pairs, 1, left), right_inner = inner_of(pairs, strips, right);
    std::vector<double> weights(as_size(kStripRows));
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = 1 + static_cast<double>(i) / 7;
    std::vector<double> wanted(as_size(strips * kStripRows), 0);
    for (std::size_t j = 0; j < wanted.size(); ++j) {
      const auto column = static_cast<std::int64_t>(j);
      for (std::int64_t i = 0; i < kStripRows; ++i) {
        std::int64_t sum = 0;
        for (std::int64_t k = 0; k < pairs; ++k) {
          const TermPair a = left[as_size(k * kStripRows + i)];
          const TermPair b =
              right[as_size((column / kStripRows * pairs + k) * kStripRows + column % kStripRows)];
          sum += half_of(a, false) * half_of(b, false) + half_of(a, true) * half_of(b, true);
        }
        const auto g = static_cast<double>(sum);
        wanted[j] += g * g * weights[as_size(i)];
      }
    }
    for (const Gram16Variant& variant : gram16_variants().all) {
      if (variant.tile == nullptr) continue;
      std::vector<double> squares(wanted.size());
      variant.tile({left.data(), right.data(), pairs, strips, left_inner.data(), right_inner.data(),
                    weights.data(), squares.data()});
      EXPECT_EQ(squares, wanted) << variant.name << " " << strips;
    }
  }
}

TEST_P(Gram16, EveryVariantSubtractsAndRoundsAlike) {
  constexpr std::int64_t kKept = 8;
  const std::int64_t pairs = GetParam(), terms = 2 * pairs - 3;  // the rest is filled up
  std::mt19937 generator(3);
  std::normal_distribution<float> normal;
  const auto numbers = [&](std::int64_t count) {
    Aligned<float> x(as_size(count));
    for (float& value : x) value = normal(generator);
    return x;
  };
  const auto a = numbers(terms * kStripRows), u = numbers(kKept * kStripRows),
             b = numbers(terms * kKept);
  const Aligned<float> scale(as_size(kStripRows), 1000.0F);
  Aligned<float> r;
  Aligned<TermPair> q;
  std::vector<double> squared, lost;
  std::vector<float> largest;
  for (const Gram16Variant& variant : gram16_variants().all) {
    if (variant.tile == nullptr) continue;
    Aligned<float> one_r = a;
    Aligned<TermPair> one_q(as_size(pairs * kStripRows), 7);
    std::vector<double> one_squared(as_size(kStripRows)), one_lost(as_size(kStripRows));
    std::vector<float> one_largest(as_size(kStripRows));
    std::vector<std::int32_t> one_inner(as_size(kStripRows));
    variant.residual(
        {one_r.data(), u.data(), b.data(), terms, kKept, one_squared.data(), one_largest.data()});
    variant.round({one_r.data(), scale.data(), terms, pairs, one_q.data(), one_lost.data(),
                   one_inner.data()});
    EXPECT_EQ(one_inner, inner_of(pairs, 1, one_q)) << variant.name;
    std::vector<double> wanted_lost(as_size(kStripRows), 0);
    for (std::int64_t k = 0; k < terms; ++k) {
      for (std::int64_t i = 0; i < kStripRows; ++i) {
        double exact = a[as_size(k * kStripRows + i)];
        for (std::int64_t p = 0; p < kKept; ++p)
          exact -= static_cast<double>(u[as_size(p * kStripRows + i)]) *
                   static_cast<double>(b[as_size(k * kKept + p)]);
        // Nine roundings of numbers below 64.
        ASSERT_NEAR(static_cast<double>(one_r[as_size(k * kStripRows + i)]), exact,
                    9 * 64 * 0x1p-24);
        const double scaled = static_cast<double>(one_r[as_size(k * kStripRows + i)] * 1000.0F);
        const auto rounded =
            static_cast<double>(half_of(one_q[as_size(k / 2 * kStripRows + i)], k % 2 == 1));
        ASSERT_NEAR(rounded, scaled, 0.5);
        wanted_lost[as_size(i)] += (scaled - rounded) * (scaled - rounded);
      }
    }
    for (std::size_t i = 0; i < wanted_lost.size(); ++i)
      ASSERT_NEAR(one_lost[i], wanted_lost[i], 1e-5 * wanted_lost[i]) << variant.name;
    for (std::int64_t i = 0; i < kStripRows; ++i) {
      ASSERT_EQ(half_of(one_q[as_size((pairs - 2) * kStripRows + i)], true), 0);
      ASSERT_EQ(one_q[as_size((pairs - 1) * kStripRows + i)], 0U);
      float most = 0;
      for (std::int64_t k = 0; k < terms; ++k)
        most = std::max(most, std::fabs(one_r[as_size(k * kStripRows + i)]));
      ASSERT_EQ(one_largest[as_size(i)], most) << variant.name;
    }
    if (r.empty()) {
      r = one_r;
      q = one_q;
      squared = one_squared;
      lost = one_lost;
    }
    EXPECT_EQ(one_r, r) << variant.name;
    EXPECT_EQ(one_q, q) << variant.name;
    EXPECT_EQ(one_squared, squared) << variant.name;
    EXPECT_EQ(one_lost, lost) << variant.name;
  }
}

// Two pairs; as many and more than are taken at a time; not a multiple of it.
INSTANTIATE_TEST_SUITE_P(Pairs, Gram16, testing::Values(2, 128, 134, 300));

}  // namespace
}  // namespace koine::lowrank
