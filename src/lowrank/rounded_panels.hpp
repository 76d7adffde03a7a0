#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "lowrank/block_products.hpp"
#include "lowrank/strips.hpp"
#include "lowrank/truncated_svd.hpp"

/// How K of rounded_gram lies in workspace.coarse.gram: panels of 64 columns one after the other,
/// [rows, 64] each, rows filled up to whole strips.
namespace koine::lowrank {

inline constexpr double kUnit32 = 0x1p-24;  ///< one rounding to float32, of what is rounded
template <typename T>
using OfStrip = std::array<T, static_cast<std::size_t>(kStripRows)>;

inline constexpr std::int64_t kColumnsOfPanel = 64;
static_assert(kColumnsOfPanel % kStripRows == 0);

[[nodiscard]] inline std::int64_t rows_of_panel(std::int64_t short_side) {
  return strips_of(short_side) * kStripRows;
}

/// Where the entry (row, column) lies, from the first on.
[[nodiscard]] inline std::int64_t place_in_panels(std::int64_t short_side, std::int64_t row,
                                                  std::int64_t column) {
  const std::int64_t inside = column % kColumnsOfPanel;
  return (column - inside) * rows_of_panel(short_side) + row * kColumnsOfPanel + inside;
}

/// Rows of K, columns [first, first + 64) of them, as far as there are.
[[nodiscard]] inline Columns<float> panel_of(std::int64_t short_side, std::int64_t first,
                                             const Workspace& workspace) {
  return {workspace.coarse.gram.data() + first * rows_of_panel(short_side), short_side,
          std::min(kColumnsOfPanel, short_side - first), kColumnsOfPanel};
}

}  // namespace koine::lowrank
