/// Every variant of the element-wise loops against the rules, in bits.
#include "backend/elementwise.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "backend/elementwise_kernels.hpp"
#include "core/lanes.hpp"
#include "core/rules.hpp"

namespace koine::backend {
namespace {

std::vector<const ElementwiseKernels*> variants() {
  std::vector<const ElementwiseKernels*> all;
  for (const auto* const* at = elementwise_variants(); *at != nullptr; ++at) all.push_back(*at);
  return all;
}

class Elementwise : public testing::TestWithParam<const ElementwiseKernels*> {
 protected:
  const ElementwiseKernels& kernels = *GetParam();
};

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Equal bits; a NaN made from two may carry either payload.
template <typename T>
bool is_same(T a, T b) {
  return std::memcmp(&a, &b, sizeof(T)) == 0 || (std::isnan(a) && std::isnan(b));
}

std::vector<std::uint16_t> all_words() {
  std::vector<std::uint16_t> words(0x10000);
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = static_cast<std::uint16_t>(i);
  return words;
}

/// float64 values around every place where a 16-bit or 32-bit float changes, of both signs, and
/// NaN.
std::vector<double> awkward_doubles() {
  std::vector<double> values{0.0, kInfinity, std::nan(""), std::numeric_limits<double>::max(),
                             std::numeric_limits<double>::denorm_min()};
  const auto around = [&values](double low, double high) {
    const double middle = low + (high - low) / 2;
    for (const double x : {low, middle, std::nextafter(middle, 0), std::nextafter(middle, high)})
      values.push_back(x);
  };
  for (unsigned bits = 0; bits < 0x7C00U; ++bits) {
    const double low = rules::widen_f16(static_cast<std::uint16_t>(bits));
    around(low, bits == 0x7BFFU ? 65536.0 : rules::widen_f16(static_cast<std::uint16_t>(bits + 1)));
  }
  for (unsigned bits = 0; bits < 0x7F80U; ++bits) {
    const double low = rules::widen_bf16(static_cast<std::uint16_t>(bits));
    around(low,
           bits == 0x7F7FU ? 0x1p128 : rules::widen_bf16(static_cast<std::uint16_t>(bits + 1)));
  }
  std::mt19937_64 generator(5);
  for (int i = 0; i < 200000; ++i) values.push_back(std::bit_cast<double>(generator()));
  for (int i = 0; i < 50000; ++i) {  // around float32, subnormal ones too
    const auto bits = static_cast<std::uint32_t>(generator()) & 0x7F7FFFFEU;
    around(std::bit_cast<float>(bits), std::bit_cast<float>(bits + 1));
  }
  const std::size_t positive = values.size();
  for (std::size_t i = 0; i < positive; ++i) values.push_back(-values[i]);
  return values;
}

std::vector<float> awkward_floats(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::vector<float> values(count);
  for (float& x : values) {
    const auto draw = generator();
    const auto bits = static_cast<std::uint32_t>(draw >> 32U);
    x = draw % 8 == 0 ? 0.0F : std::bit_cast<float>(draw % 8 == 1 ? bits & 0x807FFFFFU : bits);
    if (draw % 8 > 3) x = static_cast<float>(static_cast<int>(bits % 2001U) - 1000) * 0x1p-12F;
  }
  return values;
}

std::vector<float> finite_floats(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& x : values) x = generator() % 5 == 0 ? 0.0F : normal(generator);
  return values;
}

// Around eight, and long.
const std::vector<std::size_t> kCounts{0, 1, 7, 8, 9, 15, 16, 100, 4099};

TEST_P(Elementwise, WidensEvery16BitValue) {
  const auto words = all_words();
  std::vector<float> out(words.size());
  for (const Stored kind : {Stored::f16, Stored::bf16}) {
    kernels.widen(kind, words.data(), out.data(), 0x10000);
    for (std::size_t i = 0; i < words.size(); ++i) {
      const float wanted =
          kind == Stored::f16 ? rules::widen_f16(words[i]) : rules::widen_bf16(words[i]);
      ASSERT_EQ(std::bit_cast<std::uint32_t>(out[i]), std::bit_cast<std::uint32_t>(wanted)) << i;
    }
  }
}

TEST_P(Elementwise, RoundsEveryAwkwardValueOnce) {
  const auto values = awkward_doubles();
  const auto count = static_cast<std::int64_t>(values.size());
  std::vector<std::uint16_t> half(values.size()), brain(values.size());
  std::vector<float> single(values.size());
  std::int64_t lost_half = 0, lost_brain = 0, lost_single = 0;
  for (const double x : values) {
    if (!std::isfinite(x)) continue;
    lost_half += (rules::round_f16(x) & 0x7FFFU) == 0x7C00U ? 1 : 0;
    lost_brain += (rules::round_bf16(x) & 0x7FFFU) == 0x7F80U ? 1 : 0;
    lost_single += std::isinf(rules::round_f32(x)) ? 1 : 0;
  }
  EXPECT_EQ(kernels.round_to(Stored::f16, values.data(), half.data(), count), lost_half);
  EXPECT_EQ(kernels.round_to(Stored::bf16, values.data(), brain.data(), count), lost_brain);
  EXPECT_EQ(kernels.round_to(Stored::f32, values.data(), single.data(), count), lost_single);
  for (std::size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(half[i], rules::round_f16(values[i])) << values[i];
    ASSERT_EQ(brain[i], rules::round_bf16(values[i])) << values[i];
    ASSERT_EQ(std::bit_cast<std::uint32_t>(single[i]),
              std::bit_cast<std::uint32_t>(rules::round_f32(values[i])))
        << values[i];
  }
}

TEST_P(Elementwise, WritesNoElementBeyondTheLast) {
  for (const std::size_t count : kCounts) {
    const auto n = static_cast<std::int64_t>(count);
    const std::vector<double> values(count + 8, 1.5);
    std::vector<std::uint16_t> half(count + 8, 7);
    std::vector<float> tau(count + 8, 7.0F);
    std::vector<std::uint8_t> seen(count + 8, 8);
    const std::vector<float> ones(count + 8, 1.0F);
    Lanes lanes{};
    EXPECT_EQ(kernels.round_to(Stored::f16, values.data(), half.data(), n), 0);
    EXPECT_TRUE(
        kernels.task_vector(Stored::f32, ones.data(), ones.data(), tau.data(), n, lanes.data()));
    kernels.note_part(ones.data(), seen.data(), n, lanes.data());
    for (std::size_t i = 0; i < count + 8; ++i) {
      ASSERT_EQ(half[i], i < count ? 0x3E00U : 7U) << count;
      ASSERT_EQ(tau[i], i < count ? 0.0F : 7.0F) << count;
      ASSERT_EQ(seen[i], i < count ? 9U : 8U) << count;
    }
  }
}

TEST_P(Elementwise, TaskVectorHasTheBitsAndTheOrderOfItsSum) {
  const auto words = all_words();
  for (const std::size_t count : kCounts) {
    const auto base = finite_floats(count, 1), expert = finite_floats(count, 2);
    for (const Stored kind : {Stored::f32, Stored::f16, Stored::bf16}) {
      const void* raw = kind == Stored::f32 ? static_cast<const void*>(expert.data())
                                            : static_cast<const void*>(words.data());
      std::vector<float> tau(count);
      Lanes lanes{}, wanted{};
      EXPECT_TRUE(kernels.task_vector(kind, raw, base.data(), tau.data(),
                                      static_cast<std::int64_t>(count), lanes.data()));
      for (std::size_t i = 0; i < count; ++i) {
        const float wide = kind == Stored::f32   ? expert[i]
                           : kind == Stored::f16 ? rules::widen_f16(words[i])
                                                 : rules::widen_bf16(words[i]);
        ASSERT_TRUE(is_same(tau[i], rules::task_vector(wide, base[i]))) << i;
      }
      add_to_lanes(wanted, count, [&](std::size_t i) {
        return static_cast<double>(tau[i]) * static_cast<double>(tau[i]);
      });
      EXPECT_EQ(lanes, wanted) << count;
      kernels.squares(tau.data(), static_cast<std::int64_t>(count), wanted.data());
      add_to_lanes(lanes, count, [&](std::size_t i) {
        return static_cast<double>(tau[i]) * static_cast<double>(tau[i]);
      });
      EXPECT_EQ(lanes, wanted) << count << ": squares adds to what is there";
    }
  }
}

TEST_P(Elementwise, FindsWhatIsNotFinite) {
  const float bad[] = {std::numeric_limits<float>::infinity(),
                       -std::numeric_limits<float>::infinity(), std::nanf(""), -std::nanf("")};
  const std::size_t count = 37;
  const std::vector<float> zero(count, 0.0F);
  EXPECT_TRUE(kernels.all_finite(zero.data(), 37));
  for (std::size_t i = 0; i < count; ++i) {
    auto values = zero;
    values[i] = std::numeric_limits<float>::max();
    EXPECT_TRUE(kernels.all_finite(values.data(), 37));
    for (const float x : bad) {
      values[i] = x;
      std::vector<float> tau(count);
      Lanes lanes{};
      EXPECT_FALSE(kernels.all_finite(values.data(), 37)) << i;
      EXPECT_FALSE(kernels.task_vector(Stored::f32, values.data(), zero.data(), tau.data(), 37,
                                       lanes.data()));
      EXPECT_EQ(first_nonfinite(values), static_cast<std::int64_t>(i));
    }
  }
}

TEST_P(Elementwise, TakesAPartAsTheRulesSay) {
  for (const std::size_t count : kCounts) {
    const auto m = awkward_floats(count, 3);
    std::vector<double> sum(count, 0.1), wanted_sum = sum;
    std::vector<std::uint8_t> seen(count), wanted_seen(count);
    for (std::size_t i = 0; i < count; ++i) seen[i] = wanted_seen[i] = i % 8;
    auto noted = seen;
    Lanes lanes{}, noted_lanes{}, wanted{};
    const auto n = static_cast<std::int64_t>(count);
    kernels.take_part(0.3, m.data(), sum.data(), seen.data(), n, lanes.data());
    kernels.note_part(m.data(), noted.data(), n, noted_lanes.data());
    add_to_lanes(wanted, count, [&](std::size_t i) {
      return static_cast<double>(m[i]) * static_cast<double>(m[i]);
    });
    for (std::size_t i = 0; i < count; ++i) {
      wanted_sum[i] = rules::accumulate(wanted_sum[i], 0.3, m[i]);
      wanted_seen[i] = rules::see_sign(wanted_seen[i], m[i]);
      ASSERT_TRUE(is_same(sum[i], wanted_sum[i])) << i;
    }
    EXPECT_EQ(seen, wanted_seen);
    EXPECT_EQ(noted, wanted_seen);
    for (std::size_t j = 0; j < kLanes; ++j) {
      EXPECT_TRUE(is_same(lanes[j], wanted[j]));
      EXPECT_TRUE(is_same(noted_lanes[j], wanted[j]));
    }
  }
}

TEST_P(Elementwise, AddsToTheBaseAndSumsTheDelta) {
  const auto words = all_words();
  for (const std::size_t count : kCounts) {
    const auto base = finite_floats(count, 4);
    const auto more = finite_floats(count, 6);
    const std::vector<double> delta(more.begin(), more.end());
    const auto n = static_cast<std::int64_t>(count);
    Lanes dots{}, squares{}, wanted_dots{}, wanted_squares{};
    kernels.delta_sums(base.data(), delta.data(), n, dots.data(), squares.data());
    add_to_lanes(wanted_dots, count, [&](std::size_t i) { return base[i] * delta[i]; });
    add_to_lanes(wanted_squares, count, [&](std::size_t i) { return delta[i] * delta[i]; });
    EXPECT_EQ(dots, wanted_dots);
    EXPECT_EQ(squares, wanted_squares);
    auto value = delta;
    kernels.add_to_base(Stored::f32, base.data(), 0.2, value.data(), n);
    auto of_words = delta;
    kernels.add_to_base(Stored::bf16, words.data(), 0.2, of_words.data(), n);
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(value[i], rules::merged(base[i], 0.2, delta[i])) << i;
      ASSERT_TRUE(is_same(of_words[i], rules::merged(rules::widen_bf16(words[i]), 0.2, delta[i])));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, Elementwise, testing::ValuesIn(variants()),
                         [](const auto& row) { return std::string(row.param->name); });

TEST(SquareSum, OfPiecesHasTheBitsOfTheWhole) {
  std::vector<float> x(1003);
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = 1.0F / static_cast<float>(i + 3) * (i % 3 == 0 ? -1e3F : 1.0F);
  SquareSum squares, of_task_vectors;
  std::vector<float> tau(x.size());
  const std::vector<float> base(x.size(), 0.0F);
  for (std::size_t first = 0; first < x.size(); first += 64) {
    const std::span<const float> piece =
        std::span<const float>(x).subspan(first, std::min<std::size_t>(64, x.size() - first));
    squares.add(piece);
    EXPECT_TRUE(next_task_vector({DType::f32, std::as_bytes(piece)},
                                 std::span(base).subspan(first, piece.size()),
                                 std::span(tau).subspan(first, piece.size()), of_task_vectors));
  }
  EXPECT_EQ(squares.total(), sum_of_squares(x));
  EXPECT_EQ(of_task_vectors.total(), sum_of_squares(x));
  EXPECT_EQ(tau, x);
}

TEST(ElementwiseFloat64, GoesThroughFloat32WhereTheContractSaysSo) {
  const std::vector<double> expert(1500, 1.0 + 0x1p-40), base64(1500, 0x1p-40);
  const std::vector<float> base(1500, 0.5F);
  std::vector<float> tau(1500);
  const RawSpan raw{DType::f64, std::as_bytes(std::span(expert))};
  const TaskVectorFigures figures = task_vector(raw, base, tau);
  EXPECT_EQ(tau[1499], 0.5F);
  EXPECT_EQ(figures.squared, 375.0);
  EXPECT_TRUE(figures.is_finite);
  std::vector<double> value(1500, 0.0);
  add_to_base({DType::f64, std::as_bytes(std::span(base64))}, 1.0, value);
  EXPECT_EQ(value[0], 0x1p-40);  // the base itself stays exact
}

}  // namespace
}  // namespace koine::backend
