#pragma once

#include <cstdint>

#include "lowrank/gram.hpp"

namespace koine::lowrank {

/// Columns of A widened at a time; shapes the bits of G.
inline constexpr std::int64_t kPanel = 512;

/// Columns [first, first + width) of A in float64: panel [short, width] row-major.
void widen_panel(const ShortSideFirst& side, std::int64_t first, std::int64_t width, double* panel);

}  // namespace koine::lowrank
