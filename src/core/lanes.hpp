#pragma once

/// The order of every sum over elements: sixteen running float64 sums (element i goes to sum i mod
/// 16), the later half added to the earlier until one is left. Part of the report's bits, on every
/// instruction set.

#include <array>
#include <cstddef>

namespace koine {

inline constexpr std::size_t kLanes = 16;
using Lanes = std::array<double, kLanes>;

/// lane[i mod kLanes] += term(i) for i = 0, 1, … count - 1.
template <typename Term>
void add_to_lanes(Lanes& lane, std::size_t count, Term term) noexcept {
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::size_t j = 0; j < kLanes; ++j) lane[j] += term(i + j);
  }
  for (std::size_t j = 0; i < count; ++i, ++j) lane[j] += term(i);
}

[[nodiscard]] inline double total(Lanes lane) noexcept {
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t j = 0; j < half; ++j) lane[j] += lane[j + half];
  }
  return lane[0];
}

}  // namespace koine
