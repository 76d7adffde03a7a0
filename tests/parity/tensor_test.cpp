#include <cstring>
#include <random>

#include "core/rules.hpp"
#include "device_lane.hpp"
#include "lowrank/product.hpp"
#include "sparse/keep_largest.hpp"
#include "stats/sums.hpp"
#include "support/spectra.hpp"

namespace koine::backend {
namespace {

using test::kSlots;
using test::Spectrum;

struct Size {
  std::int64_t rows, cols;
};
std::ostream& operator<<(std::ostream& out, const Size& s) {
  return out << "[" << s.rows << ", " << s.cols << "]";
}

std::vector<float> noise(std::int64_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> x(static_cast<std::size_t>(count));
  for (float& value : x) value = normal(random);
  return x;
}

/// Few magnitudes, both signs, zeros: entries on the threshold everywhere.
std::vector<float> with_ties(std::int64_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> x(static_cast<std::size_t>(count));
  for (float& value : x) value = static_cast<float>(static_cast<int>(random() % 9) - 4) / 4;
  return x;
}

/// Factors of the right shape with any numbers in them.
lowrank::Factors some_factors(const Size& size, std::int64_t kept) {
  lowrank::Factors factors;
  factors.rows = size.rows;
  factors.cols = size.cols;
  factors.kept = kept;
  factors.is_transposed = is_transposed(size.rows, size.cols);
  factors.u = noise(std::min(size.rows, size.cols) * kept, 1);
  factors.b = noise(std::max(size.rows, size.cols) * kept, 2);
  return factors;
}

std::vector<std::uint32_t> bits_of(const std::vector<float>& x) {
  std::vector<std::uint32_t> bits(x.size());
  std::memcpy(bits.data(), x.data(), x.size() * sizeof(float));
  return bits;
}

class DeviceTensor : public test::DeviceCase<testing::TestWithParam<Size>> {
 protected:
  std::vector<float> low_of(const lowrank::Factors& factors) {
    std::vector<float> low(static_cast<std::size_t>(factors.rows * factors.cols));
    lowrank::product(factors, low);
    return low;
  }
  /// M of slot 0 for k kept entries, and the host's.
  void expect_same_m(const std::vector<float>& tau, const lowrank::Factors& factors,
                     std::int64_t k) {
    load(factors.rows, factors.cols, {tau});
    const cuda::FactorArrays arrays{factors.u.data(), factors.b.data(), factors.kept};
    (void)lane().begin_m(0, factors.kept == 0 ? cuda::LowPart::zero : cuda::LowPart::product,
                         &arrays);
    auto m = low_of(factors);
    const sparse::Threshold expected = sparse::kth_largest(tau, m, k);
    if (k > 0) {
      const cuda::Threshold found = lane().kth_largest(0, k);
      EXPECT_EQ(found.key, expected.key) << "k = " << k;
      EXPECT_EQ(found.ties, expected.ties) << "k = " << k;
      EXPECT_EQ(lane().take_kept(0, found), k);
    }
    (void)sparse::take_kept(tau, m, expected);
    for (float& value : m) value += 0.0F;  // a sum from +0 has no -0
    EXPECT_EQ(bits_of(fetch_m(factors.rows * factors.cols)), bits_of(m)) << "k = " << k;
  }
};

TEST_P(DeviceTensor, MaskIsTheHostsForEqualFactors) {
  const std::int64_t count = GetParam().rows * GetParam().cols;
  const auto factors = some_factors(GetParam(), 3);
  for (const std::int64_t k : {std::int64_t{0}, std::int64_t{1}, count / 5, count - 1, count}) {
    if (k >= 0) expect_same_m(noise(count, 3), factors, k);
  }
}

TEST_P(DeviceTensor, TiesGoByIndex) {
  const std::int64_t count = GetParam().rows * GetParam().cols;
  for (const std::int64_t k : {std::int64_t{1}, count / 7, count / 2, count - 1, count})
    expect_same_m(with_ties(count, 4), some_factors(GetParam(), 0), k);
  expect_same_m(std::vector<float>(static_cast<std::size_t>(count)), some_factors(GetParam(), 0),
                (count + 1) / 2);  // all of them zero
}

TEST_P(DeviceTensor, AWholePartIsTheTaskVector) {
  const std::int64_t count = GetParam().rows * GetParam().cols;
  const auto tau = noise(count, 5);
  load(GetParam().rows, GetParam().cols, {{}, tau});
  const double squared = lane().begin_m(1, cuda::LowPart::whole);
  EXPECT_NEAR(squared, stats::sum_of_squares(tau), 1e-15 * static_cast<double>(count) * squared);
  EXPECT_EQ(bits_of(fetch_m(count)), bits_of(tau));
}

// 1 x 1; one row, one column; around a warp and a block; a tile and one more; several, prime sides.
INSTANTIATE_TEST_SUITE_P(Sizes, DeviceTensor,
                         testing::Values(Size{1, 1}, Size{1, 33}, Size{257, 1}, Size{3, 5},
                                         Size{64, 64}, Size{17, 241}, Size{241, 101}));

struct Formats {
  DType base, expert, out;
};
std::ostream& operator<<(std::ostream& out, const Formats& f) {
  return out << recipe_name(f.base) << " and " << recipe_name(f.expert) << " to "
             << recipe_name(f.out);
}

class DeviceMerge : public test::DeviceCase<testing::TestWithParam<Formats>> {
 protected:
  static std::vector<std::byte> stored(DType dtype, const std::vector<float>& values) {
    std::vector<double> wide(values.begin(), values.end());
    std::vector<std::byte> raw(values.size() * static_cast<std::size_t>(size_of(dtype)));
    (void)round_to(dtype, wide, raw);
    return raw;
  }
};

/// Three experts, M = tau, as a dense merge adds them: every bit is the host's.
TEST_P(DeviceMerge, ResultHasTheHostsBits) {
  const auto [base_dtype, expert_dtype, out_dtype] = GetParam();
  constexpr std::int64_t kRows = 37, kCols = 211, kCount = kRows * kCols;
  const auto base_raw = stored(base_dtype, noise(kCount, 10));
  std::vector<float> base(kCount), tau(kCount);
  std::vector<double> sum(kCount);
  std::vector<std::uint8_t> seen(kCount);
  widen({base_dtype, base_raw}, base);
  lane().begin(kRows, kCols, 1);
  lane().start(0, DeviceLane::stored({base_dtype, base_raw}));
  for (unsigned t = 0; t < 3; ++t) {
    const double weight = 1.0 / (t + 3);
    const auto raw = stored(expert_dtype, noise(kCount, 11 + t));
    const auto figures = task_vector({expert_dtype, raw}, base, tau);
    lane().put(static_cast<int>(t), 0, DeviceLane::stored({expert_dtype, raw}));
    const auto found = lane().facts();
    EXPECT_TRUE(found.base_is_finite[0] && found.task_vectors[t].is_finite);
    EXPECT_NEAR(found.task_vectors[t].squared, figures.squared, 1e-15 * kCount * figures.squared);
    (void)lane().begin_m(static_cast<int>(t), cuda::LowPart::whole);
    const double squared = take_part(weight, tau, sum, seen);
    EXPECT_NEAR(lane().add(0, weight), squared, 1e-15 * kCount * squared);
  }
  for (double& value : sum) value /= 3;
  const DeltaSums sums = delta_sums(base, sum);
  stats::ModelRow row;
  stats::count_signs(seen, row);
  add_to_base({base_dtype, base_raw}, 0.3, sum);
  std::vector<std::byte> expected(kCount * static_cast<std::size_t>(size_of(out_dtype)));
  (void)round_to(out_dtype, sum, expected);
  const auto facts = lane().finish(0, {0.3, 3, out_dtype}, 1);
  EXPECT_TRUE(
      std::ranges::equal(lane().take(1, static_cast<std::int64_t>(expected.size())), expected));
  EXPECT_EQ(facts.overflows, 0);
  EXPECT_EQ(facts.signs_total, row.signs_total);
  EXPECT_EQ(facts.signs_agree, row.signs_agree);
  EXPECT_NEAR(facts.delta_squared, sums.delta_squared, 1e-15 * kCount * sums.delta_squared);
  EXPECT_NEAR(facts.base_dot_delta, sums.base_dot_delta, 1e-15 * kCount * kCount);
}

INSTANTIATE_TEST_SUITE_P(Formats, DeviceMerge,
                         testing::Values(Formats{DType::f16, DType::f16, DType::f16},
                                         Formats{DType::bf16, DType::f32, DType::bf16},
                                         Formats{DType::f32, DType::bf16, DType::f16},
                                         Formats{DType::f32, DType::f32, DType::f32}));

class DeviceTrouble : public test::DeviceCase<testing::Test> {};

TEST_F(DeviceTrouble, ValuesThatAreNotFiniteAreTold) {
  std::vector<float> base(64, 1), expert(64, 2);
  lane().begin(8, 8, 2);
  lane().start(0, stored(base));
  base[0] = -std::numeric_limits<float>::infinity();
  lane().start(1, stored(base));
  lane().put(0, 0, stored(expert));
  expert[63] = std::numeric_limits<float>::quiet_NaN();
  lane().put(1, 0, stored(expert));
  const auto facts = lane().facts();
  EXPECT_EQ(facts.base_is_finite, (std::vector{true, false}));
  EXPECT_TRUE(facts.task_vectors[0].is_finite);
  EXPECT_FALSE(facts.task_vectors[1].is_finite);
}

TEST_F(DeviceTrouble, OverflowsAreCounted) {
  load(8, 8, {std::vector<float>(64, 60000)});
  (void)lane().begin_m(0, cuda::LowPart::whole);
  (void)lane().add(0, 1);
  EXPECT_EQ(lane().finish(0, {2, 0, DType::f16}, 0).overflows, 64);
}

}  // namespace
}  // namespace koine::backend
