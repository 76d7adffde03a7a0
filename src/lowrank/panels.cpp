#include "lowrank/panels.hpp"

#include <algorithm>

namespace koine::lowrank {
namespace {

constexpr std::int64_t kTile = 32;  // of the transposition

void widen_rows(const ShortSideFirst& side, std::int64_t first, std::int64_t width, double* panel) {
  for (std::int64_t i = 0; i < side.short_side; ++i) {
    const float* from = side.tau.data + i * side.long_side + first;
    double* to = panel + i * width;
    for (std::int64_t j = 0; j < width; ++j) to[j] = static_cast<double>(from[j]);
  }
}

void widen_columns(const ShortSideFirst& side, std::int64_t first, std::int64_t width,
                   double* panel) {
  const std::int64_t m = side.short_side;
  const float* from = side.tau.data + first * m;
  for (std::int64_t j0 = 0; j0 < width; j0 += kTile) {
    const std::int64_t j1 = std::min(j0 + kTile, width);
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t j = j0; j < j1; ++j)
        panel[i * width + j] = static_cast<double>(from[j * m + i]);
    }
  }
}

}  // namespace

void widen_panel(const ShortSideFirst& side, std::int64_t first, std::int64_t width,
                 double* panel) {
  if (side.is_transposed) {
    widen_columns(side, first, width, panel);
  } else {
    widen_rows(side, first, width, panel);
  }
}

}  // namespace koine::lowrank
