#include "sparse/keep_largest.hpp"

#include <algorithm>
#include <cassert>
#include <limits>

#include "core/rules.hpp"
#include "sparse/keys.hpp"

namespace koine::sparse {
namespace {

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
  Search search{.left = k};
  while (search.digit < kDigitCount) {
    Bins bins{};
    count_digit(tau, low, search, bins);
    search.narrow(bins);
  }
  return {.key = search.key, .ties = search.left, .kept = k};
}

std::vector<Threshold> share_out(const Search& found, std::span<const Standing> standings) {
  assert(found.digit == kDigitCount);
  std::vector<Threshold> shares;
  std::int64_t left = found.left;
  for (const Standing& standing : standings) {
    const std::int64_t ties = std::min(left, standing.equal);
    shares.push_back({.key = found.key, .ties = ties, .kept = standing.above + ties});
    left -= ties;
  }
  assert(left == 0);
  return shares;
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
