#include "methods/residual_strips.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace koine::methods {
namespace {

constexpr std::int64_t kWidth = lowrank::kTileColumns;
constexpr std::int64_t kLine = 16;  // floats of a cache line
constexpr std::int64_t kEvery = 8;  // columns from one entry of a tile to the next

/// A tile of one row.
struct Place {
  std::int64_t row, column, width;
};

Place place_of(std::int64_t tile, const MatrixView& tau, std::int64_t tiles) {
  const std::int64_t column = tile % tiles * kWidth;
  return {tile / tiles, column, std::min(kWidth, tau.cols - column)};
}

/// About every eleventh tile. Every place in a row is met, and from one row where it is to the next
/// so many rows, an odd number: with kEvery a power of two, every column.
std::int64_t step_of(std::int64_t tiles) {
  std::int64_t step = 11;
  while (std::gcd(step, tiles) != 1) step += 2;
  return step;
}

}  // namespace

void ResidualStrips::for_each(const Use& use) {
  for (std::int64_t at = 0; at < count();) {
    const auto low = low_.from(at);
    const auto length = static_cast<std::int64_t>(low.size());
    use({low_.tau().data + at, low.data(), length});
    at += length;
  }
}

std::vector<float> ResidualStrips::sample() {
  constexpr std::int64_t kAhead = 6;  // tiles that are on their way from memory
  const MatrixView& tau = low_.tau();
  const lowrank::ProductRows& rows = *low_.product();
  const std::int64_t tiles = rows.tiles(), all = tau.rows * tiles, step = step_of(tiles);
  std::vector<float> sample;
  sample.reserve(static_cast<std::size_t>((all / step + 1) * kWidth / kEvery));
  alignas(64) std::array<float, kWidth> low;
  for (std::int64_t i = step / 2; i < all; i += step) {
    const Place next = place_of(i + kAhead * step, tau, tiles);
    for (std::int64_t j = 0; j < kWidth; j += kLine)
      __builtin_prefetch(tau.data + next.row * tau.cols + next.column + j);
    const Place here = place_of(i, tau, tiles);
    rows.make_tile(here.row, here.column / kWidth, low.data());
    const float* from = tau.data + here.row * tau.cols + here.column;
    for (std::int64_t j = here.row % kEvery; j < here.width; j += kEvery)
      sample.push_back(std::fabs(from[j] - low[static_cast<std::size_t>(j)]));
  }
  return sample;
}

}  // namespace koine::methods
