#include "sparse/radix.hpp"

#include <algorithm>
#include <cassert>

#include "core/rules.hpp"
#include "sparse/keys.hpp"

namespace koine::sparse {
namespace {

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
  void add(const Keys& keys, std::size_t count, const rules::Digit& digit) {
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
  void add_to(Bins& bins) const {
    for (std::size_t bin = 0; bin < kBins; ++bin)
      bins[bin] += tables_[0][bin] + tables_[1][bin] + tables_[2][bin] + tables_[3][bin];
  }

 private:
  std::array<Bins, 4> tables_{};
};

}  // namespace

void Search::narrow(std::span<const std::int64_t, kBins> bins) {
  assert(digit < kDigitCount && left > 0);
  rules::narrow(bins.data(), static_cast<unsigned>(digit), left, key);
  ++digit;
}

void count_digit(std::span<const float> tau, std::span<const float> low, const Search& search,
                 Bins& bins) {
  assert(low.empty() || low.size() == tau.size());
  assert(search.digit < kDigitCount);
  Counter counter;
  Keys keys;
  const rules::Digit digit = rules::digit_of_key(static_cast<unsigned>(search.digit));
  for (std::size_t first = 0; first < tau.size(); first += kBlock) {
    std::size_t count = std::min(kBlock, tau.size() - first);
    make_keys(tau, low, first, count, keys);
    if (search.digit > 0)
      count = gather_matching(keys, count, digit.shift + digit.bits, search.key);
    counter.add(keys, count, digit);
  }
  counter.add_to(bins);
}

Standing compare_with(std::span<const float> tau, std::span<const float> low, std::uint32_t key) {
  assert(low.empty() || low.size() == tau.size());
  static const SelectKernels& fastest = *select_variants()[0];
  return fastest.compare(
      {tau.data(), low.empty() ? nullptr : low.data(), static_cast<std::int64_t>(tau.size())}, key);
}

}  // namespace koine::sparse
