#include "lowrank/tau_block.hpp"

#include <algorithm>

#include "lowrank/block_products.hpp"
#include "lowrank/tau_columns.hpp"

namespace koine::lowrank {
namespace {

// Columns of A whose combinations are summed in float32 before they are added in float64; shapes
// the bits. Errors do not grow with the long side.
constexpr std::int64_t kSummed = 16 * kTauPanel;

/// out <- A_part (A_part^T x), y: room for a panel's A^T x.
void multiply(const Columns<float>& part, const float* x, float* y, float* out) {
  const BlockProducts<float, float>& kernel = fastest_products<float, float>();
  for (std::int64_t first = 0; first < part.count; first += kTauPanel) {
    Columns<float> panel = part;
    panel.data += first * part.step;
    panel.count = std::min(kTauPanel, part.count - first);
    kernel.inner_products(panel, x, y);
    kernel.combine(panel, y, first == 0 ? Onto::zero : Onto::out, out);
  }
}

/// x [8, rows] <- as many vectors of a block, zeros behind them.
void narrow(const double* from, std::int64_t rows, std::int64_t count, float* x) {
  for (std::int64_t i = 0; i < count * rows; ++i) x[i] = static_cast<float>(from[i]);
  std::fill(x + count * rows, x + kStripe * rows, 0.0F);
}

}  // namespace

void gram_times_block(const ShortSideFirst& side, std::int64_t width, const double* block,
                      double* image, Workspace& workspace) {
  const std::int64_t m = side.short_side, n = side.long_side, stripe = m * kStripe;
  const float* tau = packed_columns(side, workspace);
  float* y = workspace.single.reserve(static_cast<std::size_t>(2 * stripe + kTauPanel * kStripe));
  float* x = y + kTauPanel * kStripe;
  float* out = x + stripe;
  std::fill_n(image, m * width, 0.0);
  for (std::int64_t first = 0; first < width; first += kStripe) {
    const std::int64_t count = std::min(kStripe, width - first), entries = m * count;
    double* to = image + first * m;
    narrow(block + first * m, m, count, x);
    for (std::int64_t at = 0; at < n; at += kSummed) {
      multiply({tau + at * m, std::min(kSummed, n - at), m, m}, x, y, out);
      for (std::int64_t i = 0; i < entries; ++i) to[i] += static_cast<double>(out[i]);
    }
  }
}

void gram_within_block(const ShortSideFirst& side, std::int64_t width, const double* block,
                       double* inner, Workspace& workspace) {
  const std::int64_t m = side.short_side, n = side.long_side;
  const std::int64_t stripes = (width + kStripe - 1) / kStripe, panel = kTauPanel * kStripe;
  const float* tau = packed_columns(side, workspace);
  float* x = workspace.single.reserve(static_cast<std::size_t>(stripes * m * kStripe + panel));
  float* y = x + stripes * m * kStripe;
  double* wide = workspace.stripes.reserve(  // y in float64; sums of a pair of stripes
      static_cast<std::size_t>(stripes * panel + stripes * stripes * kStripe * kStripe));
  double* sums = wide + stripes * panel;
  for (std::int64_t s = 0; s < stripes; ++s)
    narrow(block + s * kStripe * m, m, std::min(kStripe, width - s * kStripe), x + s * m * kStripe);
  for (std::int64_t first = 0; first < n; first += kTauPanel) {
    const std::int64_t count = std::min(kTauPanel, n - first);
    for (std::int64_t s = 0; s < stripes; ++s) {
      fastest_products<float, float>().inner_products({tau + first * m, count, m, m},
                                                      x + s * m * kStripe, y);
      std::copy_n(y, count * kStripe, wide + s * panel);
    }
    for (std::int64_t s = 0; s < stripes * stripes; ++s) {
      fastest_products<double, double>().combine(
          {wide + s / stripes * panel, count, kStripe, kStripe}, wide + s % stripes * panel,
          first == 0 ? Onto::zero : Onto::out, sums + s * kStripe * kStripe);
    }
  }
  for (std::int64_t j = 0; j < width; ++j) {
    for (std::int64_t i = 0; i < width; ++i) {
      const std::int64_t pair = i / kStripe * stripes + j / kStripe;
      inner[j * width + i] = sums[(pair * kStripe + j % kStripe) * kStripe + i % kStripe];
    }
  }
}

}  // namespace koine::lowrank
