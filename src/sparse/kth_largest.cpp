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

/// Entries [first, first + count) of a piece.
Residual part_of(const Residual& piece, std::int64_t first, std::int64_t count) {
  return {piece.tau + first, piece.low == nullptr ? nullptr : piece.low + first, count};
}

std::int64_t length(Floats x) {
  return static_cast<std::int64_t>(x.size());
}

Standing standing_of(const SelectKernels& kernels, ResidualPieces& residual, std::uint32_t key) {
  Standing all;
  residual.for_each([&](const Residual& piece) {
    const Standing here = kernels.compare(piece, key);
    all.above += here.above;
    all.equal += here.equal;
  });
  return all;
}

/// @pre 1 <= k <= residual.count() <= kFew
Threshold kth_of_few(const SelectKernels& kernels, ResidualPieces& residual, std::int64_t k) {
  std::array<float, kFew + kSlack> room;
  float* end = room.data();
  residual.for_each([&](const Residual& piece) {
    kernels.gather(piece, 0, kHighest, end);
    end += piece.count;
  });
  float* kth = room.data() + (k - 1);
  std::nth_element(room.data(), kth, end, std::greater<>());
  const auto above = std::count_if(room.data(), kth, [&](float x) { return x > *kth; });
  return {.key = rules::magnitude_key(*kth), .ties = k - above, .kept = k};
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

/// Keys inside a bracket, as long as there is room for them.
class Catch {
 public:
  Catch(const SelectKernels& kernels, const Bracket& bracket, std::int64_t count)
      : kernels_(kernels),
        bracket_(bracket),
        most_(room_for(count)),
        room_(std::make_unique_for_overwrite<float[]>(  // only what is written takes memory
            static_cast<std::size_t>(most_ + kAtOnce + kSlack))) {}

  void add(const Residual& piece) {
    for (std::int64_t first = 0; first < piece.count && fits(); first += kAtOnce) {
      const std::int64_t count = std::min(kAtOnce, piece.count - first);
      const Caught here = kernels_.gather(part_of(piece, first, count), bracket_.lowest,
                                          bracket_.highest, room_.get() + all_.inside);
      all_.above += here.above;
      all_.inside += here.inside;
    }
  }
  [[nodiscard]] bool fits() const { return all_.inside <= most_; }
  [[nodiscard]] std::int64_t above() const { return all_.above; }
  [[nodiscard]] Floats inside() const {
    return {room_.get(), static_cast<std::size_t>(all_.inside)};
  }

 private:
  const SelectKernels& kernels_;
  Bracket bracket_;
  std::int64_t most_;
  std::unique_ptr<float[]> room_;
  Caught all_;
};

/// Nothing where the k-th is outside the bracket, or there is no room for all that are inside.
std::optional<Threshold> kth_within(const SelectKernels& kernels, ResidualPieces& residual,
                                    std::int64_t k, const Bracket& bracket) {
  Catch caught(kernels, bracket, residual.count());
  residual.for_each([&](const Residual& piece) { caught.add(piece); });
  const std::int64_t left = k - caught.above();
  if (!caught.fits() || left < 1 || left > length(caught.inside())) return std::nullopt;
  Threshold found = kth_by_bracket(kernels, caught.inside(), {}, left);
  found.kept = k;
  return found;
}

/// Whether the sample promises room for the keys inside, and a fifth to spare.
bool is_narrow(const SelectKernels& kernels, Floats sample, const Bracket& bracket,
               std::int64_t count) {
  const Residual all{sample.data(), nullptr, length(sample)};
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
std::optional<Threshold> kth_near(const SelectKernels& kernels, ResidualPieces& residual,
                                  std::int64_t k, Floats sample) {
  const std::int64_t count = residual.count();
  Bracket bracket = bracket_around(kernels, sample, k, count);
  if (!is_narrow(kernels, sample, bracket, count)) {
    const double share = static_cast<double>(k) / static_cast<double>(count);
    const auto rank = static_cast<std::int64_t>(static_cast<double>(sample.size()) * share);
    const std::uint32_t key =
        kth_by_bracket(kernels, sample, {}, std::clamp<std::int64_t>(rank, 1, length(sample))).key;
    const Standing standing = standing_of(kernels, residual, key);
    if (const auto found = try_key(standing, key, k, bracket)) return found;
    if (bracket.lowest > bracket.highest) return std::nullopt;
    if (!is_narrow(kernels, sample, bracket, count)) return std::nullopt;
  }
  return kth_within(kernels, residual, k, bracket);
}

}  // namespace

Threshold kth_by_digits(ResidualPieces& residual, std::int64_t k) {
  assert(0 <= k && k <= residual.count());
  if (k == 0) return {};
  Search search{.left = k};
  while (search.digit < kDigitCount) {
    Bins bins{};
    residual.for_each([&](const Residual& piece) {
      const auto count = static_cast<std::size_t>(piece.count);
      count_digit({piece.tau, count}, piece.low == nullptr ? Floats{} : Floats{piece.low, count},
                  search, bins);
    });
    search.narrow(bins);
  }
  return {.key = search.key, .ties = search.left, .kept = k};
}

Threshold kth_by_digits(Floats tau, Floats low, std::int64_t k) {
  StoredResidual residual(tau, low);
  return kth_by_digits(residual, k);
}

Threshold kth_by_bracket(const SelectKernels& kernels, ResidualPieces& residual, std::int64_t k) {
  assert(0 <= k && k <= residual.count());
  if (k == 0) return {};
  if (residual.count() <= kFew) return kth_of_few(kernels, residual, k);
  const std::vector<float> sample = residual.sample();
  const auto found = kth_near(kernels, residual, k, sample);
  return found ? *found : kth_by_digits(residual, k);
}

Threshold kth_by_bracket(const SelectKernels& kernels, Floats tau, Floats low, std::int64_t k) {
  StoredResidual residual(tau, low);
  return kth_by_bracket(kernels, residual, k);
}

}  // namespace koine::sparse
