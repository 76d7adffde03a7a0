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
    std::vector<double> units(as_size(strips * kStripRows));
    for (std::size_t i = 0; i < units.size(); ++i) units[i] = 1 + static_cast<double>(i) / 7;
    Aligned<float> wanted(as_size(kStripRows * kGramColumns), 0);
    for (std::int64_t j = 0; j < strips * kStripRows; ++j) {
      for (std::int64_t i = 0; i < kStripRows; ++i) {
        std::int64_t sum = 0;
        for (std::int64_t k = 0; k < pairs; ++k) {
          const TermPair a = left[as_size(k * kStripRows + i)];
          const TermPair b =
              right[as_size((j / kStripRows * pairs + k) * kStripRows + j % kStripRows)];
          sum += half_of(a, false) * half_of(b, false) + half_of(a, true) * half_of(b, true);
        }
        wanted[as_size(i * kGramColumns + j)] =
            static_cast<float>(static_cast<double>(sum) * (units[as_size(i)] * units[as_size(j)]));
      }
    }
    for (const Gram16Variant& variant : gram16_variants().all) {
      if (variant.tile == nullptr) continue;
      Aligned<float> out(wanted.size(), 0);
      variant.tile({left.data(), right.data(), pairs, strips, left_inner.data(), right_inner.data(),
                    units.data(), units.data(), out.data()});
      EXPECT_EQ(out, wanted) << variant.name << " " << strips;
    }
  }
}

Aligned<float> normal_numbers(std::int64_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  Aligned<float> x(as_size(count));
  for (float& value : x) value = normal(generator);
  return x;
}

TEST_P(Gram16, EveryVariantMeasuresAndRoundsAlike) {
  const std::int64_t pairs = GetParam(), terms = 2 * pairs - 3;  // the rest is filled up
  const Aligned<float> a = normal_numbers(terms * kStripRows, 3);
  const Aligned<float> scale(as_size(kStripRows), 1000.0F);
  Aligned<TermPair> q;
  std::vector<double> squared, lost;
  for (const Gram16Variant& variant : gram16_variants().all) {
    if (variant.tile == nullptr) continue;
    Aligned<TermPair> one_q(as_size(pairs * kStripRows), 7);
    std::vector<double> one_squared(as_size(kStripRows)), one_lost(as_size(kStripRows));
    std::vector<float> one_largest(as_size(kStripRows));
    std::vector<std::int32_t> one_inner(as_size(kStripRows));
    variant.lengths({a.data(), terms, one_squared.data(), one_largest.data()});
    variant.round(
        {a.data(), scale.data(), terms, pairs, one_q.data(), one_lost.data(), one_inner.data()});
    EXPECT_EQ(one_inner, inner_of(pairs, 1, one_q)) << variant.name;
    std::vector<double> wanted_lost(as_size(kStripRows), 0), wanted_squared(as_size(kStripRows), 0);
    for (std::int64_t k = 0; k < terms; ++k) {
      for (std::int64_t i = 0; i < kStripRows; ++i) {
        const float x = a[as_size(k * kStripRows + i)];
        const auto scaled = static_cast<double>(x * 1000.0F);
        const auto rounded =
            static_cast<double>(half_of(one_q[as_size(k / 2 * kStripRows + i)], k % 2 == 1));
        ASSERT_NEAR(rounded, scaled, 0.5);
        wanted_lost[as_size(i)] += (scaled - rounded) * (scaled - rounded);
        wanted_squared[as_size(i)] += static_cast<double>(x) * static_cast<double>(x);
      }
    }
    EXPECT_EQ(one_squared, wanted_squared) << variant.name;
    for (std::size_t i = 0; i < wanted_lost.size(); ++i)
      ASSERT_NEAR(one_lost[i], wanted_lost[i], 1e-5 * wanted_lost[i]) << variant.name;
    for (std::int64_t i = 0; i < kStripRows; ++i) {
      ASSERT_EQ(half_of(one_q[as_size((pairs - 2) * kStripRows + i)], true), 0);
      ASSERT_EQ(one_q[as_size((pairs - 1) * kStripRows + i)], 0U);
      float most = 0;
      for (std::int64_t k = 0; k < terms; ++k)
        most = std::max(most, std::fabs(a[as_size(k * kStripRows + i)]));
      ASSERT_EQ(one_largest[as_size(i)], most) << variant.name;
    }
    if (q.empty()) {
      q = one_q;
      squared = one_squared;
      lost = one_lost;
    }
    EXPECT_EQ(one_q, q) << variant.name;
    EXPECT_EQ(one_squared, squared) << variant.name;
    EXPECT_EQ(one_lost, lost) << variant.name;
  }
}

TEST_P(Gram16, EveryVariantTakesPairsOffAlike) {
  constexpr std::int64_t kKept = 8, kStep = 4 * kStripRows;
  const std::int64_t terms = GetParam() + 1;
  const Aligned<float> k = normal_numbers(terms * kStep, 5),
                       u = normal_numbers(kKept * kStripRows, 6),
                       b = normal_numbers(terms * kKept, 7);
  std::vector<double> first;
  for (const Gram16Variant& variant : gram16_variants().all) {
    if (variant.tile == nullptr) continue;
    std::vector<double> squared(as_size(kStripRows), 1.0);
    variant.without({k.data(), kStep, terms, kKept, u.data(), b.data(), squared.data()});
    for (std::int64_t j = 0; j < kStripRows; ++j) {
      double wanted = 1;
      for (std::int64_t t = 0; t < terms; ++t) {
        double left = k[as_size(t * kStep + j)];
        for (std::int64_t p = 0; p < kKept; ++p)
          left -= static_cast<double>(u[as_size(p * kStripRows + j)]) *
                  static_cast<double>(b[as_size(t * kKept + p)]);
        wanted += left * left;
      }
      // Eight roundings an entry, of numbers below 64.
      ASSERT_NEAR(squared[as_size(j)], wanted, wanted * 8 * 64 * 0x1p-24) << variant.name;
    }
    if (first.empty()) first = squared;
    EXPECT_EQ(squared, first) << variant.name;
  }
}

// Two pairs; as many and more than are taken at a time; not a multiple of it.
INSTANTIATE_TEST_SUITE_P(Pairs, Gram16, testing::Values(2, 128, 134, 300));

}  // namespace
}  // namespace koine::lowrank
