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
  std::fill_n(out, part.rows * kStripe, 0.0F);
  const BlockProducts<float, float>& kernel = fastest_products<float, float>();
  for (std::int64_t first = 0; first < part.count; first += kTauPanel) {
    Columns<float> panel = part;
    panel.data += first * part.step;
    panel.count = std::min(kTauPanel, part.count - first);
    kernel.inner_products(panel, x, y);
    kernel.add_combinations(panel, y, out);
  }
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
    const std::int64_t entries = m * std::min(kStripe, width - first);
    const double* from = block + first * m;
    double* to = image + first * m;
    for (std::int64_t i = 0; i < entries; ++i) x[i] = static_cast<float>(from[i]);
    std::fill(x + entries, x + stripe, 0.0F);
    for (std::int64_t at = 0; at < n; at += kSummed) {
      multiply({tau + at * m, std::min(kSummed, n - at), m, m}, x, y, out);
      for (std::int64_t i = 0; i < entries; ++i) to[i] += static_cast<double>(out[i]);
    }
  }
}

}  // namespace koine::lowrank
