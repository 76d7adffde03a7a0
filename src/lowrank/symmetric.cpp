#include "lowrank/symmetric.hpp"

#include <algorithm>

#include "lowrank/block_products.hpp"

namespace koine::lowrank {

// Rows of a matrix may lie a multiple of 4 KiB apart, in one set of the first cache: a tile is a
// cache line wide and turned in a buffer.
void mirror(std::int64_t order, double* matrix) {
  constexpr std::int64_t kTile = 64 / sizeof(double);
  double tile[kTile][kTile];
  for (std::int64_t j0 = 0; j0 < order; j0 += kTile) {
    const std::int64_t columns = std::min(kTile, order - j0);
    for (std::int64_t i0 = j0; i0 < order; i0 += kTile) {
      const std::int64_t rows = std::min(kTile, order - i0);
      for (std::int64_t j = 0; j < columns; ++j) {
        for (std::int64_t i = 0; i < rows; ++i) tile[i][j] = matrix[(j0 + j) * order + i0 + i];
      }
      for (std::int64_t i = 0; i < rows; ++i) {
        const std::int64_t above = std::min(columns, i0 + i - j0);
        for (std::int64_t j = 0; j < above; ++j) matrix[(i0 + i) * order + j0 + j] = tile[i][j];
      }
    }
  }
}

void symmetric_times_block(const SymmetricView& gram, std::int64_t width, const double* block,
                           double* image, Workspace& workspace) {
  const std::int64_t order = gram.order, stripe = order * kStripe;
  double* x = workspace.stripes.reserve(static_cast<std::size_t>(2 * stripe));
  double* y = x + stripe;
  for (std::int64_t first = 0; first < width; first += kStripe) {
    const std::int64_t count = std::min(kStripe, width - first);
    std::copy_n(block + first * order, count * order, x);
    std::fill(x + count * order, y, 0.0);
    fastest_products<double, double>().inner_products({gram.data, order, order, order}, x, y);
    columns_of_block(y, order, count, image + first * order);
  }
}

}  // namespace koine::lowrank
