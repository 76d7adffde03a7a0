#include "core/rules.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace koine::rules {
namespace {

/// The value of a 16-bit float by its definition: (-1)^s 2^(e - bias) 1.m, or 0.m below the
/// smallest normal.
double defined_value(unsigned bits, int mantissa_bits, int exponent_bits) {
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = static_cast<int>((bits & 0x7FFFU) >> mantissa_bits);
  const double fraction = std::ldexp(bits & ((1U << mantissa_bits) - 1U), -mantissa_bits);
  const double magnitude =
      exponent == 0 ? std::ldexp(fraction, 1 - bias) : std::ldexp(1.0 + fraction, exponent - bias);
  return (bits & 0x8000U) != 0 ? -magnitude : magnitude;
}

struct Format {
  const char* name;
  int mantissa_bits, exponent_bits;
  float (*widen)(std::uint16_t);
  std::uint16_t (*round)(double);
  [[nodiscard]] unsigned infinity() const { return ((1U << exponent_bits) - 1U) << mantissa_bits; }
};
void PrintTo(const Format& format, std::ostream* out) {
  *out << format.name;
}

class SixteenBits : public testing::TestWithParam<Format> {};

TEST_P(SixteenBits, WidensEveryFiniteValueExactly) {
  const Format format = GetParam();
  for (unsigned bits = 0; bits < 0x10000U; ++bits) {
    if ((bits & 0x7FFFU) >= format.infinity()) continue;
    const float wide = format.widen(static_cast<std::uint16_t>(bits));
    ASSERT_EQ(wide, defined_value(bits, format.mantissa_bits, format.exponent_bits)) << bits;
    ASSERT_EQ(std::signbit(wide), (bits & 0x8000U) != 0) << bits;
  }
}

TEST_P(SixteenBits, WidensInfinityAndKeepsPayloadsOfNan) {
  const Format format = GetParam();
  for (unsigned bits = 0; bits < 0x10000U; ++bits) {
    const unsigned magnitude = bits & 0x7FFFU;
    if (magnitude < format.infinity()) continue;
    const auto wide = bits_as<std::uint32_t>(format.widen(static_cast<std::uint16_t>(bits)));
    ASSERT_EQ(wide >> 31U, bits >> 15U) << bits;
    ASSERT_EQ((wide >> 23U) & 0xFFU, 0xFFU) << bits;
    const unsigned payload = bits & ((1U << format.mantissa_bits) - 1U);
    ASSERT_EQ(wide & 0x7FFFFFU, payload << (23 - format.mantissa_bits)) << bits;
  }
}

TEST_P(SixteenBits, EveryValueSurvivesTheRoundTrip) {
  const Format format = GetParam();
  for (unsigned bits = 0; bits < 0x10000U; ++bits) {
    const double wide = format.widen(static_cast<std::uint16_t>(bits));
    const unsigned back = format.round(wide);
    if (std::isnan(wide)) {
      ASSERT_GT(back & 0x7FFFU, format.infinity()) << bits;
      ASSERT_NE(back & (1U << (format.mantissa_bits - 1)), 0U) << "not quiet: " << bits;
      ASSERT_EQ(back & 0x8000U, bits & 0x8000U) << bits;
    } else {
      ASSERT_EQ(back, bits);
    }
  }
}

TEST_P(SixteenBits, RoundsToTheNearestAndTiesToEven) {
  const Format format = GetParam();
  // From the largest finite value the next one up is 2^emax, where a wider exponent would put it:
  // it becomes infinity.
  for (unsigned low = 0; low < format.infinity(); ++low) {
    const double below = defined_value(low, format.mantissa_bits, format.exponent_bits);
    const double above = defined_value(low + 1, format.mantissa_bits, format.exponent_bits);
    const double middle = below + (above - below) / 2;  // exact: one more bit
    const unsigned even = (low & 1U) == 0 ? low : low + 1;
    ASSERT_EQ(format.round(middle), even) << low;
    ASSERT_EQ(format.round(std::nextafter(middle, 0.0)), low) << low;
    ASSERT_EQ(format.round(std::nextafter(middle, above)), low + 1) << low;
    ASSERT_EQ(format.round(-middle), even | 0x8000U) << low;
    ASSERT_EQ(format.round(-std::nextafter(middle, 0.0)), low | 0x8000U) << low;
  }
}

TEST_P(SixteenBits, DoesNotRoundTwice) {
  const Format format = GetParam();
  // Just beside a midpoint by less than float32 can hold: through float32 it would look like the
  // tie itself.
  for (unsigned low = 0x100; low + 1 < format.infinity(); low += 97) {
    const double below = defined_value(low, format.mantissa_bits, format.exponent_bits);
    const double above = defined_value(low + 1, format.mantissa_bits, format.exponent_bits);
    const double middle = below + (above - below) / 2;
    const double beside = std::nextafter(middle, (low & 1U) == 0 ? above : below);
    ASSERT_EQ(static_cast<float>(beside), static_cast<float>(middle)) << "not a trap: " << low;
    ASSERT_EQ(format.round(beside), (low & 1U) == 0 ? low + 1 : low) << low;
  }
}

TEST_P(SixteenBits, ExtremesGoToZeroOrInfinity) {
  const Format format = GetParam();
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(format.round(infinity), format.infinity());
  EXPECT_EQ(format.round(-infinity), format.infinity() | 0x8000U);
  EXPECT_EQ(format.round(std::numeric_limits<double>::max()), format.infinity());
  EXPECT_EQ(format.round(0.0), 0U);
  EXPECT_EQ(format.round(-0.0), 0x8000U);
  EXPECT_EQ(format.round(std::numeric_limits<double>::denorm_min()), 0U);
  EXPECT_EQ(format.round(-std::numeric_limits<double>::min()), 0x8000U);
}

INSTANTIATE_TEST_SUITE_P(Formats, SixteenBits,
                         testing::Values(Format{"f16", 10, 5, widen_f16, round_f16},
                                         Format{"bf16", 7, 8, widen_bf16, round_bf16}),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Rules, Fp16OverflowsAt65520) {
  EXPECT_EQ(round_f16(65504.0), 0x7BFFU);
  EXPECT_EQ(round_f16(std::nextafter(65520.0, 0.0)), 0x7BFFU);
  EXPECT_EQ(round_f16(65520.0), 0x7C00U);
  EXPECT_EQ(round_f16(-65520.0), 0xFC00U);
}

TEST(Rules, Fp16KeepsSubnormals) {
  EXPECT_EQ(round_f16(0x1p-24), 1U);
  EXPECT_EQ(round_f16(0x1p-25), 0U);  // half of the smallest: even is zero
  EXPECT_EQ(round_f16(std::nextafter(0x1p-25, 1.0)), 1U);
  EXPECT_EQ(round_f16(0x1.ffcp-15),
            0x400U);  // between the largest subnormal and the smallest normal
}

TEST(Rules, TaskVectorRoundsOnce) {
  EXPECT_EQ(task_vector(1.0F, 0x1p-24F), 1.0F - 0x1p-24F);
  EXPECT_EQ(task_vector(1.0F, 0x1p-26F), 1.0F);  // below half a unit
}

TEST(Rules, ChainDoesNotRoundTheProduct) {
  const float x = 1.0F + 0x1p-12F;  // x^2 = 1 + 2^-11 + 2^-24
  EXPECT_EQ(chain(x, x, -(1.0F + 0x1p-11F)), 0x1p-24F);
}

TEST(Rules, AccumulateRoundsProductAndSumApart) {
  const double weight = 1.0 + 0x1p-40;
  const float m = 1.0F + 0x1p-20F;  // the product needs 2^-60
  const double product = 1.0 + 0x1p-20 + 0x1p-40;
  EXPECT_EQ(accumulate(-product, weight, m), 0.0);
  EXPECT_EQ(merged(-product, weight, static_cast<double>(m)), 0.0);
}

TEST(Rules, MagnitudeKeyOrdersMagnitudes) {
  EXPECT_EQ(magnitude_key(-0.0F), 0U);
  EXPECT_EQ(magnitude_key(-2.5F), magnitude_key(2.5F));
  EXPECT_LT(magnitude_key(0x1p-149F), magnitude_key(0x1p-126F));
  EXPECT_LT(magnitude_key(1.0F), magnitude_key(-std::nextafter(1.0F, 2.0F)));
}

TEST(SelectionDigits, MakeUpTheKey) {
  std::uint32_t key = 1;
  for (int step = 0; step < 1000; ++step) {
    key = (key * 1664525U + 1013904223U) & 0x7FFFFFFFU;
    std::uint32_t prefix = 0;
    for (unsigned digit = 0; digit < 3; ++digit) {
      EXPECT_TRUE(begins_with(key, digit, prefix));
      EXPECT_EQ(begins_with(key, digit, prefix ^ 1U), digit == 0);
      prefix = (prefix << digit_of_key(digit).bits) | digit_value(key, digit);
    }
    EXPECT_EQ(prefix, key);
  }
}

TEST(SelectionDigits, NarrowFindsTheKth) {
  const std::uint32_t values[] = {7, 7, 2047, 0, 5, 2047, 2047};
  std::int64_t bins[2048] = {};
  for (const std::uint32_t value : values) ++bins[value];
  const std::uint32_t sorted[] = {2047, 2047, 2047, 7, 7, 5, 0};
  const std::int64_t left_there[] = {1, 2, 3, 1, 2, 1, 1};
  for (std::int64_t k = 1; k <= 7; ++k) {
    std::int64_t left = k;
    std::uint32_t key = 1;
    narrow(bins, 0, left, key);
    EXPECT_EQ(key, (1U << 11U) | sorted[k - 1]);
    EXPECT_EQ(left, left_there[k - 1]);
  }
}

TEST(IsKept, AboveTheThresholdAndTheFirstOnIt) {
  EXPECT_TRUE(is_kept(9, 8, 100, 0));
  EXPECT_TRUE(is_kept(8, 8, 1, 2));
  EXPECT_FALSE(is_kept(8, 8, 2, 2));
  EXPECT_FALSE(is_kept(7, 8, 0, 2));
}

}  // namespace
}  // namespace koine::rules
