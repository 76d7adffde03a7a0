#include "kernels/dense.hpp"

#include <cmath>
#include <ostream>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "core/rules.hpp"
#include "device_array.hpp"

namespace koine::kernels {
namespace {

struct Case {
  std::int64_t count;
  DType in, out;
};

std::ostream& operator<<(std::ostream& stream, const Case& c) {
  return stream << c.count << " elements, " << recipe_name(c.in) << " to " << recipe_name(c.out);
}

float widen_on_host(DType dtype, std::uint32_t bits) {
  if (dtype == DType::f32) return rules::bits_as<float>(bits);
  const auto half = static_cast<std::uint16_t>(bits);
  return dtype == DType::f16 ? rules::widen_f16(half) : rules::widen_bf16(half);
}

std::uint32_t round_on_host(DType dtype, double value) {
  if (dtype == DType::f32) return rules::bits_as<std::uint32_t>(rules::round_f32(value));
  return dtype == DType::f16 ? rules::round_f16(value) : rules::round_bf16(value);
}

/// Elements of a tensor: as numbers' bits, and as the bytes of a checkpoint.
struct Elements {
  DType dtype;
  std::vector<std::uint32_t> bits;

  std::vector<std::byte> bytes() const {
    const auto size = static_cast<std::size_t>(size_of(dtype));
    std::vector<std::byte> all(bits.size() * size);
    for (std::size_t i = 0; i < bits.size(); ++i) std::memcpy(&all[i * size], &bits[i], size);
    return all;
  }
};

/// Values from subnormal to large in every format, zeros of both signs among them, none infinite or
/// NaN.
Elements random_elements(std::int64_t count, DType dtype, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::uniform_int_distribution<int> exponent(
      -26, 14);  // 2^-26: below fp16's smallest; 2^14: below its largest
  Elements elements{dtype, {}};
  for (std::int64_t i = 0; i < count; ++i) {
    const double value = i % 17 == 0 ? (i % 2 == 0 ? 0.0 : -0.0)
                                     : std::ldexp(std::tanh(normal(random)), exponent(random));
    elements.bits.push_back(round_on_host(dtype, value));
  }
  return elements;
}

std::vector<double> random_sums(std::int64_t count, unsigned seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> sums;
  for (std::int64_t i = 0; i < count; ++i) sums.push_back(normal(random));
  return sums;
}

class DenseKernels : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (const std::string why = why_no_device(); !why.empty()) GTEST_SKIP() << why;
  }
};

TEST_P(DenseKernels, TaskVectorHasTheHostsBits) {
  const auto [count, expert_dtype, base_dtype] = GetParam();
  const Elements expert = random_elements(count, expert_dtype, 1),
                 base = random_elements(count, base_dtype, 2);
  const DeviceArray<std::byte> expert_there(expert.bytes()), base_there(base.bytes());
  DeviceArray<float> tau(count);
  task_vector({expert_there.data(), expert_dtype}, {base_there.data(), base_dtype}, tau.data(),
              count, nullptr);
  const std::vector<float> found = tau.fetch();
  for (std::size_t i = 0; i < found.size(); ++i) {
    const float expected = rules::task_vector(widen_on_host(expert_dtype, expert.bits[i]),
                                              widen_on_host(base_dtype, base.bits[i]));
    ASSERT_EQ(rules::bits_as<std::uint32_t>(found[i]), rules::bits_as<std::uint32_t>(expected))
        << "element " << i;
  }
}

TEST_P(DenseKernels, AccumulateHasTheHostsBits) {
  const std::int64_t count = GetParam().count;
  const double weight = 1.0 / 3;  // not a power of two: a fused multiply-add would show
  const std::vector<double> before = random_sums(count, 3);
  const Elements m = random_elements(count, DType::f32, 4);
  const DeviceArray<std::byte> m_there(m.bytes());
  DeviceArray<double> sum(before);
  accumulate(weight, reinterpret_cast<const float*>(m_there.data()), sum.data(), count, nullptr);
  const std::vector<double> found = sum.fetch();
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double expected =
        rules::accumulate(before[i], weight, widen_on_host(DType::f32, m.bits[i]));
    ASSERT_EQ(rules::bits_as<std::uint64_t>(found[i]), rules::bits_as<std::uint64_t>(expected))
        << "element " << i;
  }
}

TEST_P(DenseKernels, RoundMergedHasTheHostsBits) {
  const auto [count, in, out] = GetParam();
  const double lambda = 0.2;
  const Elements base = random_elements(count, in, 5);
  const std::vector<double> sums = random_sums(count, 6);
  const DeviceArray<std::byte> base_there(base.bytes());
  const DeviceArray<double> sums_there(sums);
  DeviceArray<std::byte> rounded(count * size_of(out));
  round_merged({{base_there.data(), in}, sums_there.data(), lambda}, {rounded.data(), out}, count,
               nullptr);
  Elements expected{out, {}};
  for (std::size_t i = 0; i < sums.size(); ++i) {
    expected.bits.push_back(
        round_on_host(out, rules::merged(widen_on_host(in, base.bits[i]), lambda, sums[i])));
  }
  ASSERT_EQ(rounded.fetch(), expected.bytes());
}

// 0: nothing to launch; 1, 31, 33: around a warp; 257: one past a block; 100003: many blocks,
// prime.
INSTANTIATE_TEST_SUITE_P(
    Sizes, DenseKernels,
    testing::Values(Case{0, DType::f32, DType::f32}, Case{1, DType::f16, DType::f16},
                    Case{31, DType::bf16, DType::f32}, Case{33, DType::f32, DType::bf16},
                    Case{257, DType::f16, DType::bf16}, Case{100003, DType::f32, DType::f16},
                    Case{100003, DType::f16, DType::f32}, Case{100003, DType::bf16, DType::bf16}));

TEST(DenseKernelsBadInput, OtherDtypesAreRefused) {
  float nothing = 0;
  EXPECT_THROW(task_vector({&nothing, DType::i64}, {&nothing, DType::f32}, &nothing, 1, nullptr),
               DeviceError);
}

}  // namespace
}  // namespace koine::kernels
