#include "sparse/keep_largest.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "core/rules.hpp"

namespace koine::sparse {
namespace {

enum class Data { normal, tied, quantised, wide_range, constant };

struct Case {
  const char* name;
  Data data;
  std::size_t size;
  bool has_low;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

std::vector<float> make(Data data, std::size_t size, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(size);
  for (float& x : values) {
    x = normal(generator);
    if (data == Data::tied) x = std::round(x);
    if (data == Data::quantised)
      x = rules::widen_f16(rules::round_f16(1e-4 * static_cast<double>(x)));
    if (data == Data::wide_range) x = std::ldexp(x, static_cast<int>(generator() % 240U) - 140);
    if (data == Data::constant) x = -0.5F;
  }
  return values;
}

/// M by a sort: |residual| descending, then index.
std::vector<float> by_sorting(const std::vector<float>& tau, std::vector<float> low,
                              std::int64_t k) {
  std::vector<std::size_t> order(tau.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::vector<float> magnitude(tau.size());
  for (std::size_t i = 0; i < tau.size(); ++i) magnitude[i] = std::fabs(tau[i] - low[i]);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return magnitude[a] > magnitude[b]; });
  for (std::int64_t i = 0; i < k; ++i) {
    const std::size_t at = order[static_cast<std::size_t>(i)];
    low[at] = tau[at];
  }
  return low;
}

class KeepLargest : public testing::TestWithParam<Case> {};

TEST_P(KeepLargest, EqualsASort) {
  const Case& c = GetParam();
  const auto tau = make(c.data, c.size, 1);
  const auto low = c.has_low ? make(c.data, c.size, 2) : std::vector<float>(c.size, 0.0F);
  const auto n = static_cast<std::int64_t>(c.size);
  for (const std::int64_t k : {std::int64_t{0}, std::int64_t{1}, n / 5, n / 2, n - 1, n}) {
    const Threshold threshold =
        kth_largest(tau, c.has_low ? std::span<const float>(low) : std::span<const float>(), k);
    auto result = low;
    ASSERT_EQ(take_kept(tau, result, threshold), k);
    ASSERT_EQ(result, by_sorting(tau, low, k)) << "k = " << k;
  }
}

TEST_P(KeepLargest, ThresholdIsTheKthMagnitude) {
  const Case& c = GetParam();
  const auto tau = make(c.data, c.size, 3);
  std::vector<float> magnitude(c.size);
  std::transform(tau.begin(), tau.end(), magnitude.begin(), [](float x) { return std::fabs(x); });
  std::sort(magnitude.begin(), magnitude.end(), std::greater<>());
  for (std::size_t k = 1; k <= c.size; k = 2 * k + 1) {
    const Threshold threshold = kth_largest(tau, {}, static_cast<std::int64_t>(k));
    ASSERT_EQ(threshold.magnitude(), magnitude[k - 1]);
    const auto above = std::count_if(magnitude.begin(), magnitude.end(),
                                     [&](float x) { return x > magnitude[k - 1]; });
    ASSERT_EQ(threshold.ties, static_cast<std::int64_t>(k) - above);
  }
}

/// Which entries of tau other than zeros are taken over L = 0.
std::vector<bool> mask_of(const std::vector<float>& tau, std::int64_t k) {
  const std::vector<float> zero(tau.size(), 0.0F);
  auto result = zero;
  take_kept(tau, result, kth_largest(tau, zero, k));
  std::vector<bool> mask(tau.size());
  for (std::size_t i = 0; i < tau.size(); ++i) mask[i] = result[i] != 0.0F;
  return mask;
}

TEST_P(KeepLargest, MasksAreNested) {
  const Case& c = GetParam();
  const auto tau = make(c.data, c.size, 4);
  const auto n = static_cast<std::int64_t>(c.size);
  const auto fewer = mask_of(tau, n / 3);
  const auto more = mask_of(tau, n / 2);
  for (std::size_t i = 0; i < c.size; ++i) ASSERT_TRUE(more[i] || !fewer[i]) << i;
}

// 1: the smallest; 1023 to 1025: around a block; 5003: several blocks, prime.
INSTANTIATE_TEST_SUITE_P(Data, KeepLargest,
                         testing::Values(Case{"one", Data::normal, 1, false},
                                         Case{"below_a_block", Data::normal, 1023, true},
                                         Case{"a_block", Data::normal, 1024, false},
                                         Case{"above_a_block", Data::tied, 1025, true},
                                         Case{"normal", Data::normal, 5003, true},
                                         Case{"tied", Data::tied, 5003, false},
                                         Case{"quantised", Data::quantised, 5003, true},
                                         Case{"wide_range", Data::wide_range, 5003, false},
                                         Case{"constant", Data::constant, 5003, true}),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace koine::sparse
