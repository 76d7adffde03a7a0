#pragma once

#include <cstdint>
#include <span>

#include "stats/rows.hpp"

/// Sums over elements in a fixed order: eight running float64 sums (element i goes to sum i mod 8),
/// added pairwise at the end. The order depends on the span alone, so callers cut tensors into
/// blocks of one fixed size.
namespace koine::stats {

[[nodiscard]] double sum_of_squares(std::span<const float> values) noexcept;
[[nodiscard]] double sum_of_squares(std::span<const double> values) noexcept;
[[nodiscard]] double dot(std::span<const float> a, std::span<const double> b) noexcept;

/// Which signs an element's M have had so far: bit 0 plus, bit 1 minus, bit 2 two or more non-zero.
void note_signs(std::span<const float> m, std::span<std::uint8_t> seen) noexcept;
/// Adds to signs_total and signs_agree.
void count_signs(std::span<const std::uint8_t> seen, ModelRow& row) noexcept;

}  // namespace koine::stats
