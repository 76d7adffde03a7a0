#pragma once

/// The order of every sum over elements: eight running float64 sums (element i goes to sum i mod
/// 8), added pairwise at the end. Part of the report's bits, on every instruction set.

#include <array>
#include <cstddef>

namespace koine {

inline constexpr std::size_t kLanes = 8;
using Lanes = std::array<double, kLanes>;

/// lane[i mod 8] += term(i) for i = 0, 1, … count - 1.
template <typename Term>
void add_to_lanes(Lanes& lane, std::size_t count, Term term) noexcept {
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::size_t j = 0; j < kLanes; ++j) lane[j] += term(i + j);
  }
  for (std::size_t j = 0; i < count; ++i, ++j) lane[j] += term(i);
}

[[nodiscard]] inline double total(const Lanes& lane) noexcept {
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

}  // namespace koine
