#pragma once

#include <cstdint>
#include <span>

#include "stats/rows.hpp"

namespace koine::stats {

/// In the order of core/lanes.hpp, which depends on the span alone: callers cut tensors into blocks
/// of one fixed size.
[[nodiscard]] double sum_of_squares(std::span<const float> values) noexcept;

/// Adds to signs_total and signs_agree what rules::see_sign has seen.
void count_signs(std::span<const std::uint8_t> seen, ModelRow& row) noexcept;

}  // namespace koine::stats
