#pragma once

#include <algorithm>
#include <cstdint>

#include "lowrank/gram.hpp"
#include "lowrank/strip_rows.hpp"

/// A in strips of 16 rows, each packed so that the rows lie side by side: what the kernels of Gram
/// matrices read.
namespace koine::lowrank {

[[nodiscard]] std::int64_t strips_of(std::int64_t short_side) noexcept;

/// Rows [top, top + 16) of A, columns [first, first + terms): strip [terms, 16], rows that A does
/// not have filled up with zeros.
void pack_strip(const ShortSideFirst& side, std::int64_t top, std::int64_t first,
                std::int64_t terms, float* strip);

/// to[k, i] <- from[i, k], 16 by 16, rows `step` and `to_step` apart.
void turn_square(const float* from, std::int64_t step, float* to, std::int64_t to_step);

/// Rows `step` apart.
struct RowsOfFloats {
  const float* data;
  std::int64_t rows, cols, step;
};

/// to[k, i] <- from[i, k], at most 16 rows; a whole strip square by square.
void turn_rows(const RowsOfFloats& from, float* to, std::int64_t to_step);

/// visit(above, first, end): strip `above` meets strips [first, end), kTileStrips at most. Every
/// pair of strips once, above <= first. Twelve strips at a time, which stay in the second cache,
/// meet all strips above them, each read from afar once.
template <typename Visit>
void for_each_tile(std::int64_t strips, const Visit& visit) {
  constexpr std::int64_t kPassStrips = 4 * kTileStrips;
  for (std::int64_t pass = 0; pass < strips; pass += kPassStrips) {
    const std::int64_t pass_end = std::min(pass + kPassStrips, strips);
    for (std::int64_t above = 0; above < pass_end; ++above) {
      for (std::int64_t left = pass; left < pass_end; left += kTileStrips) {
        const std::int64_t end = std::min(left + kTileStrips, pass_end);
        if (above < end) visit(above, std::max(left, above), end);
      }
    }
  }
}

}  // namespace koine::lowrank
