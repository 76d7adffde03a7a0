#include "lowrank/rounded_products.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/rules.hpp"
#include "lowrank/block_products.hpp"
#include "lowrank/gram16_kernels.hpp"
#include "lowrank/gram32.hpp"
#include "lowrank/rounded_panels.hpp"

namespace koine::lowrank {
namespace {

constexpr std::int64_t kChain = 128;  // terms of a product with K; shapes its bits

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

/// out [8, panel.rows] <- the rows of a panel combined, chains of kChain of them at a time.
void combine(Columns<float> panel, const float* y, float* out) {
  Onto onto = Onto::zero;
  for (std::int64_t left = panel.count; left > 0; left -= kChain) {
    panel.count = std::min(kChain, left);
    fastest_products<float, float>().combine(panel, y, std::exchange(onto, Onto::out), out);
    panel.data += kChain * panel.step;
    y += kChain * kStripe;
  }
}

}  // namespace

void rounded_times_block(std::int64_t short_side, std::int64_t width, const double* block,
                         double* image, Workspace& workspace) {
  float* y = workspace.single.reserve(as_size(short_side * kStripe));
  alignas(64) std::array<float, std::size_t{kColumnsOfPanel * kStripe}> out;
  for (std::int64_t first = 0; first < width; first += kStripe) {
    const std::int64_t count = std::min(kStripe, width - first);
    std::fill_n(y, short_side * kStripe, 0.0F);
    rows_of_block(block + first * short_side, short_side, count, y);
    for (std::int64_t at = 0; at < short_side; at += kColumnsOfPanel) {
      const Columns<float> panel = panel_of(short_side, at, workspace);
      combine(panel, y, out.data());
      for (std::int64_t j = 0; j < count; ++j)
        std::copy_n(out.data() + j * panel.rows, panel.rows, image + (first + j) * short_side + at);
    }
  }
}

// The vector rounded, a chain, and as many additions as there are chains.
double rounded_times_error(std::int64_t short_side, const Workspace& workspace) noexcept {
  const std::int64_t chains = (short_side + kChain - 1) / kChain;
  const auto roundings = static_cast<double>(1 + kChain + chains);
  const double gamma = roundings * kUnit32 / (1 - roundings * kUnit32);
  const auto order = static_cast<double>(short_side);
  return gamma * std::sqrt(workspace.coarse.squared) + 2 * kHalfOfSmallest * order * order;
}

// P U = 0, so P K P = P (K - sum theta u u^T) P, which is no larger than what stands between. Of
// that an entry has one operation for each pair, and U and theta U are rounded.
double rounded_norm_without(std::int64_t short_side, std::int64_t count, Workspace& workspace) {
  const double* vectors = workspace.vectors.data();
  const double* values = workspace.values.data();
  const std::int64_t rows = rows_of_panel(short_side);
  float* by_row = workspace.single.reserve(as_size(2 * rows * count));
  float* by_strip = by_row + rows * count;  // theta u, [strips, count, 16]
  std::fill_n(by_row, 2 * rows * count, 0.0F);
  double theta_sum = 0;
  for (std::int64_t p = 0; p < count; ++p) {
    theta_sum += std::fabs(values[p]);
    for (std::int64_t i = 0; i < short_side; ++i) {
      const double x = vectors[p * short_side + i];
      by_row[i * count + p] = rules::round_f32(x);
      by_strip[(i / kStripRows * count + p) * kStripRows + i % kStripRows] =
          rules::round_f32(values[p] * x);
    }
  }
  double sum = 0;
  for (std::int64_t left = 0; left < short_side; left += kStripRows) {
    OfStrip<double> beside{}, below{};
    const std::int64_t end = left + kStripRows;
    const float* column = workspace.coarse.gram.data() + place_in_panels(short_side, 0, left);
    const float* u = by_strip + left * count;
    fastest_gram16().without({column + left * kColumnsOfPanel, kColumnsOfPanel, kStripRows, count,
                              u, by_row + left * count, beside.data()});
    if (end < rows) {
      fastest_gram16().without({column + end * kColumnsOfPanel, kColumnsOfPanel, rows - end, count,
                                u, by_row + end * count, below.data()});
    }
    for (std::size_t j = 0; j < beside.size(); ++j) sum += beside[j] + 2 * below[j];
  }
  const double roundings = static_cast<double>(count + 3) * kUnit32;
  const double underflow = 2 * kHalfOfSmallest * static_cast<double>(count * short_side);
  return std::sqrt(sum) * (1 + 1e-6) +
         roundings * (std::sqrt(workspace.coarse.squared) + theta_sum) + underflow;
}

float rounded_entry(std::int64_t short_side, std::int64_t row, std::int64_t column,
                    const Workspace& workspace) {
  return workspace.coarse.gram.data()[place_in_panels(short_side, row, column)];
}

}  // namespace koine::lowrank
