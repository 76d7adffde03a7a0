#include "lowrank/tau_block.hpp"

#include <algorithm>

#include "lowrank/block_products.hpp"
#include "lowrank/tau_columns.hpp"

namespace koine::lowrank {
namespace {

// Columns of A whose combinations are summed in float32 before they are added in float64; shapes
// the bits. Errors do not grow with the long side.
constexpr std::int64_t kSummed = 16 * kTauPanel;

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

/// visit(first, count) for parts of `length` of so many columns.
template <typename Visit>
void for_parts(std::int64_t columns, std::int64_t length, const Visit& visit) {
  for (std::int64_t first = 0; first < columns; first += length)
    visit(first, std::min(length, columns - first));
}

/// x [8, rows] <- as many vectors of a block, zeros behind them.
void narrow(const double* from, std::int64_t rows, std::int64_t count, float* x) {
  for (std::int64_t i = 0; i < count * rows; ++i) x[i] = static_cast<float>(from[i]);
  std::fill(x + count * rows, x + kStripe * rows, 0.0F);
}

}  // namespace

TauProducts::TauProducts(const ShortSideFirst& side, Workspace& workspace)
    : side_(side), workspace_(workspace), tau_(columns_of(side, workspace)) {}

void TauProducts::times_block(std::int64_t width, const double* block, double* image) {
  const std::int64_t m = side_.short_side;
  float* x = workspace_.single.reserve(as_size((2 * m + kTauPanel) * kStripe));
  std::fill_n(image, m * width, 0.0);
  for (std::int64_t first = 0; first < width; first += kStripe) {
    const std::int64_t count = std::min(kStripe, width - first);
    narrow(block + first * m, m, count, x);
    times_stripe(x, count, image + first * m);
  }
}

void TauProducts::times_stripe(const float* x, std::int64_t count, double* image) {
  const BlockProducts<float, float>& kernel = fastest_products<float, float>();
  const std::int64_t m = side_.short_side;
  float* out = workspace_.single.data() + m * kStripe;
  float* y = out + m * kStripe;
  for_parts(side_.long_side, kSummed, [&](std::int64_t part, std::int64_t columns) {
    Onto onto = Onto::zero;
    for_parts(columns, kTauPanel, [&](std::int64_t first, std::int64_t length) {
      const Columns<float> panel{tau_ + (part + first) * m, length, m, m};
      kernel.inner_products(panel, x, y);
      kernel.combine(panel, y, onto, out);
      onto = Onto::out;
    });
    for (std::int64_t i = 0; i < count * m; ++i) image[i] += static_cast<double>(out[i]);
  });
}

void TauProducts::within_block(std::int64_t width, const double* block, double* inner) {
  const std::int64_t m = side_.short_side, pairs = kStripe * kStripe;
  const std::int64_t stripes = (width + kStripe - 1) / kStripe, room = kTauPanel * kStripe;
  float* x = workspace_.single.reserve(as_size(stripes * m * kStripe + room));
  float* y = x + stripes * m * kStripe;
  double* sums = workspace_.stripes.reserve(as_size(stripes * stripes * pairs + stripes * room));
  double* wide = sums + stripes * stripes * pairs;  // y in float64
  for (std::int64_t s = 0; s < stripes; ++s)
    narrow(block + s * kStripe * m, m, std::min(kStripe, width - s * kStripe), x + s * m * kStripe);
  Onto onto = Onto::zero;
  for_parts(side_.long_side, kTauPanel, [&](std::int64_t first, std::int64_t count) {
    const Columns<float> panel{tau_ + first * m, count, m, m};
    for (std::int64_t s = 0; s < stripes; ++s) {
      fastest_products<float, float>().inner_products(panel, x + s * m * kStripe, y);
      std::copy_n(y, count * kStripe, wide + s * room);
    }
    for (std::int64_t s = 0; s < stripes * stripes; ++s) {
      const Columns<double> left{wide + s / stripes * room, count, kStripe, kStripe};
      fastest_products<double, double>().combine(left, wide + s % stripes * room, onto,
                                                 sums + s * pairs);
    }
    onto = Onto::out;
  });
  for (std::int64_t j = 0; j < width; ++j) {
    for (std::int64_t i = 0; i < width; ++i) {
      const double* pair = sums + (i / kStripe * stripes + j / kStripe) * pairs;
      inner[j * width + i] = pair[j % kStripe * kStripe + i % kStripe];
    }
  }
}

}  // namespace koine::lowrank
