#include "sparse/kth_largest.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "core/rules.hpp"

namespace koine::sparse {
namespace {

using Floats = std::span<const float>;

constexpr std::int64_t kFew = 4096;            // so many are partitioned outright
constexpr std::int64_t kSampleStep = 61;       // prime: a sample meets every column of a matrix
constexpr std::int64_t kSmallRoom = 1 << 14U;  // caught keys that are no burden: 64 KiB
constexpr double kMargin = 3.5;                // of the sample's standard deviation, on both sides
constexpr std::int64_t kAtOnce = 1024;         // entries between two looks at the room that is left
constexpr std::uint32_t kHighest = std::numeric_limits<std::int32_t>::max();

struct Bracket {
  std::uint32_t lowest = 0, highest = kHighest;  ///< both inside
};

Residual part_of(Floats tau, Floats low, std::int64_t first, std::int64_t count) {
  return {tau.data() + first, low.empty() ? nullptr : low.data() + first, count};
}

std::int64_t length(Floats x) {
  return static_cast<std::int64_t>(x.size());
}

/// @pre 1 <= k <= tau.size() <= kFew
Threshold kth_of_few(const SelectKernels& kernels, Floats tau, Floats low, std::int64_t k) {
  std::array<float, kFew + kSlack> room;
  kernels.gather(part_of(tau, low, 0, length(tau)), 0, kHighest, room.data());
  float* end = room.data() + tau.size();
  float* kth = room.data() + (k - 1);
  std::nth_element(room.data(), kth, end, std::greater<>());
  const auto above = std::count_if(room.data(), kth, [&](float x) { return x > *kth; });
  return {.key = rules::magnitude_key(*kth), .ties = k - above, .kept = k};
}

std::vector<float> sample_of(Floats tau, Floats low) {
  std::vector<float> sample;
  sample.reserve(tau.size() / kSampleStep + 1);
  for (std::size_t i = kSampleStep / 2; i < tau.size(); i += kSampleStep)
    sample.push_back(std::fabs(low.empty() ? tau[i] : tau[i] - low[i]));
  return sample;
}

/// Keys around the k-th of `count`: the sample's share of k, kMargin deviations up and down.
Bracket bracket_around(const SelectKernels& kernels, Floats sample, std::int64_t k,
                       std::int64_t count) {
  const auto size = static_cast<double>(sample.size());
  const double share = static_cast<double>(k) / static_cast<double>(count);
  const double margin = kMargin * std::sqrt(size * share * (1 - share)) + 1;
  const auto upper = static_cast<std::int64_t>(size * share - margin);
  const auto lower = static_cast<std::int64_t>(size * share + margin) + 1;
  Bracket bracket;
  if (upper >= 1) bracket.highest = kth_by_bracket(kernels, sample, {}, upper).key;
  if (lower <= length(sample)) bracket.lowest = kth_by_bracket(kernels, sample, {}, lower).key;
  return bracket;
}

/// The bracket is one key: it is the threshold, if any.
std::optional<Threshold> kth_on(const SelectKernels& kernels, Floats tau, Floats low,
                                std::int64_t k, std::uint32_t key) {
  const Standing standing = kernels.compare(part_of(tau, low, 0, length(tau)), key);
  if (k <= standing.above || k > standing.above + standing.equal) return std::nullopt;
  return Threshold{.key = key, .ties = k - standing.above, .kept = k};
}

/// So many keys of `count` may be caught: an eighth; half of what fits the second cache anyway.
std::int64_t room_for(std::int64_t count) {
  return std::max(count / 8, std::min(count / 2, kSmallRoom));
}

/// Nothing where the k-th is outside the bracket, or there is no room for all that are inside.
std::optional<Threshold> kth_within(const SelectKernels& kernels, Floats tau, Floats low,
                                    std::int64_t k, const Bracket& bracket) {
  const std::int64_t most = room_for(length(tau));
  const auto room = std::make_unique_for_overwrite<float[]>(
      static_cast<std::size_t>(most + kAtOnce + kSlack));  // only what is written takes memory
  Caught all;
  for (std::int64_t first = 0; first < length(tau); first += kAtOnce) {
    if (all.inside > most) return std::nullopt;
    const std::int64_t count = std::min(kAtOnce, length(tau) - first);
    const Caught here = kernels.gather(part_of(tau, low, first, count), bracket.lowest,
                                       bracket.highest, room.get() + all.inside);
    all.above += here.above;
    all.inside += here.inside;
  }
  const std::int64_t left = k - all.above;
  if (left < 1 || left > all.inside) return std::nullopt;
  Threshold found =
      kth_by_bracket(kernels, {room.get(), static_cast<std::size_t>(all.inside)}, {}, left);
  found.kept = k;
  return found;
}

/// Whether the sample promises room for the keys inside, and a fifth to spare.
bool is_narrow(const SelectKernels& kernels, Floats sample, const Bracket& bracket,
               std::int64_t count) {
  const Residual all = part_of(sample, {}, 0, length(sample));
  const Standing low = kernels.compare(all, bracket.lowest);
  const Standing high = kernels.compare(all, bracket.highest);
  const std::int64_t inside = low.above + low.equal - high.above;
  return inside * kSampleStep * 5 <= room_for(count) * 4;
}

}  // namespace

Threshold kth_by_digits(Floats tau, Floats low, std::int64_t k) {
  assert(low.empty() || low.size() == tau.size());
  assert(0 <= k && k <= length(tau));
  if (k == 0) return {};
  Search search{.left = k};
  while (search.digit < kDigitCount) {
    Bins bins{};
    count_digit(tau, low, search, bins);
    search.narrow(bins);
  }
  return {.key = search.key, .ties = search.left, .kept = k};
}

Threshold kth_by_bracket(const SelectKernels& kernels, Floats tau, Floats low, std::int64_t k) {
  assert(low.empty() || low.size() == tau.size());
  assert(0 <= k && k <= length(tau));
  if (k == 0) return {};
  if (length(tau) <= kFew) return kth_of_few(kernels, tau, low, k);
  const std::vector<float> sample = sample_of(tau, low);
  const Bracket bracket = bracket_around(kernels, sample, k, length(tau));
  std::optional<Threshold> found;
  if (bracket.lowest == bracket.highest)
    found = kth_on(kernels, tau, low, k, bracket.lowest);
  else if (is_narrow(kernels, sample, bracket, length(tau)))
    found = kth_within(kernels, tau, low, k, bracket);
  return found ? *found : kth_by_digits(tau, low, k);
}

}  // namespace koine::sparse
