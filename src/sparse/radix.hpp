#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "sparse/select_kernels.hpp"

/// The k-th largest of |tau - low| over any number of matrices, digit by digit: counts of every
/// matrix are added, in any order and on any process, and one search narrows by the sums. Integer
/// work: the result depends on nothing but the values.
namespace koine::sparse {

inline constexpr std::size_t kDigitCount = 3;  ///< of a magnitude's 31 bits, from the top
inline constexpr std::size_t kBins = 2048;     ///< values of one digit, at most

using Bins = std::array<std::int64_t, kBins>;

/// Where the search for the k-th largest stands.
struct Search {
  std::int64_t left = 0;  ///< k, less all that lies above the digits found
  std::uint32_t key = 0;  ///< the digits found so far
  std::size_t digit = 0;  ///< the next one; kDigitCount: `key` is the k-th largest
  /// Takes the counts of `digit` over everything that is searched.
  /// @pre 1 <= left <= sum of bins; digit < kDigitCount
  void narrow(std::span<const std::int64_t, kBins> bins);
};

/// bins[d] += how many |tau_i - low_i| begin with the digits that `search` has found and go on with
/// d. Cost: one pass over tau and low.
/// @pre tau.size() == low.size() (or low is empty: the residual is tau); all finite
void count_digit(std::span<const float> tau, std::span<const float> low, const Search& search,
                 Bins& bins);

/// How many |tau_i - low_i| lie above `key`, and on it. Cost: one pass. @pre as count_digit
[[nodiscard]] Standing compare_with(std::span<const float> tau, std::span<const float> low,
                                    std::uint32_t key);

}  // namespace koine::sparse
