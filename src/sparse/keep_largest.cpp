#include "sparse/keep_largest.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <limits>

#include "core/rules.hpp"

namespace koine::sparse {
namespace {

// The 31 bits of a magnitude in three digits, from the top: 11 + 11 + 9 would do, 11 + 11 + 10
// fills the word.
struct Digit {
  unsigned shift;
  unsigned bits;
};
constexpr std::array<Digit, 3> kDigits{{{21, 11}, {10, 11}, {0, 10}}};
constexpr std::size_t kBins = 2048;
constexpr std::size_t kBlock = 1024;  // keys made at a time; they stay in the first cache

using Keys = std::array<std::uint32_t, kBlock>;
using Histogram = std::array<std::int64_t, kBins>;

/// Keys of elements [first, first + count) of tau - low.
void make_keys(std::span<const float> tau, std::span<const float> low, std::size_t first,
               std::size_t count, Keys& keys) {
  const float* t = tau.data() + first;
  if (low.empty()) {
    for (std::size_t i = 0; i < count; ++i) keys[i] = rules::magnitude_key(t[i]);
    return;
  }
  const float* l = low.data() + first;
  for (std::size_t i = 0; i < count; ++i) keys[i] = rules::magnitude_key(t[i] - l[i]);
}

/// Moves the keys whose bits above `shift` equal `prefix` to the front, without a branch; returns
/// their number.
std::size_t gather_matching(Keys& keys, std::size_t count, unsigned shift, std::uint32_t prefix) {
  std::size_t matching = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t key = keys[i];
    keys[matching] = key;
    matching += (key >> shift) == prefix ? 1U : 0U;
  }
  return matching;
}

/// Four tables, so that equal neighbours do not wait for each other's store.
class Counter {
 public:
  void add(const Keys& keys, std::size_t count, const Digit& digit) {
    const std::uint32_t mask = (1U << digit.bits) - 1U;
    std::size_t i = 0;
    for (; i + 4 <= count; i += 4) {
      ++tables_[0][(keys[i] >> digit.shift) & mask];
      ++tables_[1][(keys[i + 1] >> digit.shift) & mask];
      ++tables_[2][(keys[i + 2] >> digit.shift) & mask];
      ++tables_[3][(keys[i + 3] >> digit.shift) & mask];
    }
    for (; i < count; ++i) ++tables_[0][(keys[i] >> digit.shift) & mask];
  }
  [[nodiscard]] std::int64_t at(std::size_t bin) const {
    return tables_[0][bin] + tables_[1][bin] + tables_[2][bin] + tables_[3][bin];
  }

 private:
  std::array<Histogram, 4> tables_{};
};

/// Counts one digit of all keys that start with `prefix` (the digits found so far).
Counter count_digit(std::span<const float> tau, std::span<const float> low, std::size_t level,
                    std::uint32_t prefix) {
  Counter counter;
  Keys keys;
  const Digit& digit = kDigits[level];
  for (std::size_t first = 0; first < tau.size(); first += kBlock) {
    std::size_t count = std::min(kBlock, tau.size() - first);
    make_keys(tau, low, first, count, keys);
    if (level > 0) count = gather_matching(keys, count, digit.shift + digit.bits, prefix);
    counter.add(keys, count, digit);
  }
  return counter;
}

struct Counts {
  std::int32_t above = 0, equal = 0;
};

/// Takes all entries of a block whose key is above the threshold. Signed compares, which SSE2 has;
/// no key uses bit 31.
Counts take_above(std::uint32_t threshold, const Keys& keys, std::span<const float> tau,
                  std::span<float> low) {
  const auto limit = static_cast<std::int32_t>(threshold);
  const float* from = tau.data();
  float* to = low.data();
  Counts counts;
  for (std::size_t i = 0; i < tau.size(); ++i) {
    const auto key = static_cast<std::int32_t>(keys[i]);
    const float taken = from[i], left = to[i];
    to[i] = key > limit ? taken : left;
    counts.above += key > limit ? 1 : 0;
    counts.equal += key == limit ? 1 : 0;
  }
  return counts;
}

/// Takes the first `ties` entries of a block that equal the threshold.
void take_ties(std::uint32_t key, std::int64_t ties, const Keys& keys, std::span<const float> tau,
               std::span<float> low) {
  for (std::size_t i = 0; i < tau.size() && ties > 0; ++i) {
    if (keys[i] != key) continue;
    low[i] = tau[i];
    --ties;
  }
}

}  // namespace

float Threshold::magnitude() const noexcept {
  return kept == 0 ? std::numeric_limits<float>::infinity() : rules::bits_as<float>(key);
}

std::int64_t keep_count(std::int64_t numel, double density) noexcept {
  return static_cast<std::int64_t>(static_cast<double>(numel) * density);
}

Threshold kth_largest(std::span<const float> tau, std::span<const float> low, std::int64_t k) {
  assert(low.empty() || low.size() == tau.size());
  assert(0 <= k && k <= static_cast<std::int64_t>(tau.size()));
  if (k == 0) return {};
  Threshold threshold{.key = 0, .ties = k, .kept = k};
  for (std::size_t level = 0; level < kDigits.size(); ++level) {
    const Counter counter = count_digit(tau, low, level, threshold.key);
    std::uint32_t bin = (1U << kDigits[level].bits) - 1U;
    while (counter.at(bin) < threshold.ties) threshold.ties -= counter.at(bin--);
    threshold.key = (threshold.key << kDigits[level].bits) | bin;
  }
  return threshold;
}

std::int64_t take_kept(std::span<const float> tau, std::span<float> low,
                       const Threshold& threshold) {
  assert(low.size() == tau.size());
  if (threshold.kept == 0) return 0;
  std::int64_t taken = 0;
  std::int64_t ties = threshold.ties;
  Keys keys;
  for (std::size_t first = 0; first < tau.size(); first += kBlock) {
    const std::size_t count = std::min(kBlock, tau.size() - first);
    make_keys(tau, low, first, count, keys);
    const auto here = tau.subspan(first, count);
    const auto out = low.subspan(first, count);
    const Counts counts = take_above(threshold.key, keys, here, out);
    const std::int64_t ties_here = std::min<std::int64_t>(ties, counts.equal);
    if (ties_here > 0) take_ties(threshold.key, ties_here, keys, here, out);
    taken += counts.above + ties_here;
    ties -= ties_here;
  }
  return taken;
}

}  // namespace koine::sparse
