#include "sparse/select_kernels.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/rules.hpp"
#include "sparse/kth_largest.hpp"

namespace koine::sparse {
namespace {

using Values = std::vector<float>;

std::vector<const SelectKernels*> variants() {
  std::vector<const SelectKernels*> all;
  for (const auto* const* at = select_variants(); *at != nullptr; ++at) all.push_back(*at);
  return all;
}

// 0, 1: the smallest; 15 to 17: around a vector; 1023, 1025: around a block; 4096, 4097: around
// what is partitioned outright; 100003: a bracket inside a bracket, prime.
constexpr std::size_t kSizes[] = {0, 1, 15, 16, 17, 1023, 1025, 4096, 4097, 100003};

float half_delta(double x) {
  return rules::widen_f16(rules::round_f16(1e-4 * x));
}

struct Data {
  const char* name;
  Values tau, low;  ///< low may be empty
};

/// Every kind of data of one size.
std::vector<Data> data_of(std::size_t size) {
  std::mt19937_64 generator(size);
  std::normal_distribution<float> normal;
  const Values zero(size, 0.0F);
  Values first(size), second(size), halves(size), few(size), wide(size);
  for (std::size_t i = 0; i < size; ++i) {
    first[i] = normal(generator);
    second[i] = 0.5F * normal(generator);
    halves[i] = half_delta(static_cast<double>(first[i]));
    few[i] = std::round(first[i]);
    wide[i] = std::ldexp(first[i], static_cast<int>(generator() % 240U) - 140);
  }
  Values sorted = first;
  std::sort(sorted.begin(), sorted.end());
  Values misleading = first;  // large just where the sample looks
  for (std::size_t i = 30; i < size; i += 61) misleading[i] = 9.0F + std::fabs(first[i]);
  return {{"random", first, second},
          {"no low", second, {}},
          {"halves", halves, {}},
          {"halves, zero low", halves, zero},
          {"few values", few, {}},
          {"wide range", wide, {}},
          {"constant", Values(size, -0.5F), {}},
          {"all zero", first, first},
          {"negative zero", Values(size, -0.0F), zero},
          {"sorted", sorted, {}},
          {"largest", Values(size, 0x1.fffffep127F), Values(size, -0x1.fffffep127F)},
          {"misleading", misleading, {}}};
}

std::vector<std::int64_t> counts_of(std::size_t size) {
  const auto n = static_cast<std::int64_t>(size);
  std::vector<std::int64_t> counts{0, 1, n / 5, n / 2, n - 1, n};
  std::erase_if(counts, [n](std::int64_t k) { return k < 0 || k > n; });
  return counts;
}

Threshold by_sorting(const Data& data, std::int64_t k) {
  if (k == 0) return {};
  std::vector<std::uint32_t> keys(data.tau.size());
  for (std::size_t i = 0; i < keys.size(); ++i)
    keys[i] = rules::magnitude_key(data.tau[i] - (data.low.empty() ? 0.0F : data.low[i]));
  std::sort(keys.begin(), keys.end(), std::greater<>());
  const std::uint32_t key = keys[static_cast<std::size_t>(k - 1)];
  const auto above = std::find(keys.begin(), keys.end(), key) - keys.begin();
  return {.key = key, .ties = k - above, .kept = k};
}

/// M by the rule, one entry after the other.
Values by_rule(const Data& data, const Values& low, const Threshold& threshold) {
  Values m = low;
  std::int64_t ties = threshold.ties;
  for (std::size_t i = 0; i < m.size(); ++i) {
    const std::uint32_t key = rules::magnitude_key(data.tau[i] - low[i]);
    if (key > threshold.key || (key == threshold.key && ties-- > 0)) m[i] = data.tau[i];
  }
  return m;
}

std::vector<std::uint32_t> bits_of(const Values& values) {
  std::vector<std::uint32_t> bits;
  for (const float x : values) bits.push_back(rules::bits_as<std::uint32_t>(x));
  return bits;
}

class KeepLargestKernels : public testing::TestWithParam<const SelectKernels*> {
 protected:
  const SelectKernels& kernels = *GetParam();
};

TEST_P(KeepLargestKernels, BracketEqualsDigitsAndASort) {
  for (const std::size_t size : kSizes) {
    for (const Data& data : data_of(size)) {
      for (const std::int64_t k : counts_of(size)) {
        const Threshold found = kth_by_bracket(kernels, data.tau, data.low, k);
        ASSERT_EQ(found, by_sorting(data, k)) << data.name << ", " << k << " of " << size;
        ASSERT_EQ(found, kth_by_digits(data.tau, data.low, k)) << data.name << ", k = " << k;
      }
    }
  }
}

TEST_P(KeepLargestKernels, TakesByTheRule) {
  for (const std::size_t size : kSizes) {
    for (const Data& data : data_of(size)) {
      for (const std::int64_t k : counts_of(size)) {
        if (k == 0) continue;
        const Values low = data.low.empty() ? Values(size, 0.0F) : data.low;
        const Threshold threshold = kth_by_digits(data.tau, low, k);
        Values m = low, apart(size);
        for (float* out : {apart.data(), m.data()}) {
          std::int64_t ties = threshold.ties;
          const Residual residual{data.tau.data(), out == m.data() ? m.data() : low.data(),
                                  static_cast<std::int64_t>(size)};
          ASSERT_EQ(kernels.take(residual, out, threshold.key, ties), k);
          ASSERT_EQ(ties, 0);
        }
        ASSERT_EQ(bits_of(m), bits_of(apart));
        ASSERT_EQ(bits_of(m), bits_of(by_rule(data, low, threshold))) << data.name << ", " << k;
      }
    }
  }
}

TEST_P(KeepLargestKernels, ComparesAndGathersInOrder) {
  for (const Data& data : data_of(1025)) {
    const Residual residual{data.tau.data(), data.low.empty() ? nullptr : data.low.data(), 1025};
    const std::uint32_t lowest = by_sorting(data, 500).key, highest = by_sorting(data, 200).key;
    Values expected;
    Standing standing;
    for (std::size_t i = 0; i < 1025; ++i) {
      const float x = std::fabs(data.tau[i] - (data.low.empty() ? 0.0F : data.low[i]));
      const std::uint32_t key = rules::magnitude_key(x);
      if (lowest <= key && key <= highest) expected.push_back(x);
      standing.above += key > highest ? 1 : 0;
      standing.equal += key == highest ? 1 : 0;
    }
    const Standing compared = kernels.compare(residual, highest);
    EXPECT_EQ(compared.above, standing.above) << data.name;
    EXPECT_EQ(compared.equal, standing.equal) << data.name;
    Values out(1025 + kSlack);
    const Caught caught = kernels.gather(residual, lowest, highest, out.data());
    EXPECT_EQ(caught.above, standing.above) << data.name;
    out.resize(static_cast<std::size_t>(caught.inside));
    EXPECT_EQ(bits_of(out), bits_of(expected)) << data.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, KeepLargestKernels, testing::ValuesIn(variants()),
                         [](const auto& row) { return std::string(row.param->name); });

}  // namespace
}  // namespace koine::sparse
