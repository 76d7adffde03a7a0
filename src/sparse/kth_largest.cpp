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

/// Entries from one that is sampled to the next; prime, so that every column of a matrix is met.
std::size_t step_of(std::size_t count) {
  return count < (1U << 20U) ? 61 : 127;
}

std::vector<float> sample_of(Floats tau, Floats low) {
  const std::size_t step = step_of(tau.size());
  std::vector<float> sample;
  sample.reserve(tau.size() / step + 1);
  for (std::size_t i = step / 2; i < tau.size(); i += step)
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
  const auto inside = static_cast<double>(low.above + low.equal - high.above);
  return inside * static_cast<double>(count) <=
         0.8 * static_cast<double>(room_for(count)) * static_cast<double>(sample.size());
}

/// The threshold if it is `key`; else the bracket is cut there.
/// @pre bracket.lowest <= key <= bracket.highest
std::optional<Threshold> try_key(const Standing& standing, std::uint32_t key, std::int64_t k,
                                 Bracket& bracket) {
  if (k <= standing.above) {
    bracket.lowest = key + 1;
  } else if (k > standing.above + standing.equal) {
    bracket.highest = key - 1;
  } else {
    return Threshold{.key = key, .ties = k - standing.above, .kept = k};
  }
  return std::nullopt;
}

/// For a sample that bears the array out. Where many magnitudes are equal, the sample's own k-th is
/// likely the one, and is tried first.
std::optional<Threshold> kth_near(const SelectKernels& kernels, Floats tau, Floats low,
                                  std::int64_t k, Floats sample) {
  const std::int64_t count = length(tau);
  Bracket bracket = bracket_around(kernels, sample, k, count);
  if (!is_narrow(kernels, sample, bracket, count)) {
    const double share = static_cast<double>(k) / static_cast<double>(count);
    const auto rank = static_cast<std::int64_t>(static_cast<double>(sample.size()) * share);
    const std::uint32_t key =
        kth_by_bracket(kernels, sample, {}, std::clamp<std::int64_t>(rank, 1, length(sample))).key;
    const Standing standing = kernels.compare(part_of(tau, low, 0, count), key);
    if (const auto found = try_key(standing, key, k, bracket)) return found;
    if (bracket.lowest > bracket.highest) return std::nullopt;
    if (!is_narrow(kernels, sample, bracket, count)) return std::nullopt;
  }
  return kth_within(kernels, tau, low, k, bracket);
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
  const auto found = kth_near(kernels, tau, low, k, sample);
  return found ? *found : kth_by_digits(tau, low, k);
}

}  // namespace koine::sparse
