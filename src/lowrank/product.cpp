#include "lowrank/product.hpp"

#include <algorithm>
#include <array>
#include <cassert>

#include "backend/elementwise.hpp"
#include "core/cpu.hpp"
#include "core/lanes.hpp"
#include "core/rules.hpp"

namespace koine::lowrank {
namespace {

// Few rows write their lines in order, which the CPU sees coming, but read the whole right factor
// again: where the second cache holds it. Of many, the pages are still few enough for the TLB.
constexpr std::int64_t kFewRows = 8, kManyRows = 64;
constexpr std::int64_t kSmallRight = 65536;  // elements: 256 KiB

std::int64_t tile_count(std::int64_t cols) {
  return (cols + kTileColumns - 1) / kTileColumns;
}

/// The right factor [kept, cols] cut into tiles; of a transposed pair it is U^T.
Tiles right_tiles(const Factors& factors) {
  Tiles tiles(static_cast<std::size_t>(tile_count(factors.cols) * factors.kept * kTileColumns));
  const std::int64_t column_step = factors.is_transposed ? factors.kept : 1;
  const std::int64_t term_step = factors.is_transposed ? 1 : factors.cols;
  const float* from = factors.is_transposed ? factors.u.data() : factors.b.data();
  for (std::int64_t j0 = 0; j0 < factors.cols; j0 += kTileColumns) {
    const std::int64_t width = std::min(kTileColumns, factors.cols - j0);
    for (std::int64_t k = 0; k < factors.kept; ++k) {
      float* to = tiles.data() + j0 * factors.kept + k * kTileColumns;
      for (std::int64_t j = 0; j < width; ++j) to[j] = from[(j0 + j) * column_step + k * term_step];
    }
  }
  return tiles;
}

/// A tile that sticks out over the last column goes through a buffer.
void narrow_tile(ProductKernel kernel, ProductTile tile, std::int64_t width) {
  std::array<float, static_cast<std::size_t>(kManyRows * kTileColumns)> buffer;
  float* out = tile.out;
  const std::int64_t out_step = tile.out_step;
  tile.out = buffer.data();
  tile.out_step = kTileColumns;
  kernel(tile);
  for (std::int64_t i = 0; i < tile.rows; ++i) {
    std::copy_n(buffer.data() + i * kTileColumns, width, out + i * out_step);
  }
}

}  // namespace

void product_tile_portable(const ProductTile& t) {
  for (std::int64_t i = 0; i < t.rows; ++i) {
    float* out = t.out + i * t.out_step;
    std::fill_n(out, kTileColumns, 0.0F);
    for (std::int64_t k = 0; k < t.terms; ++k) {
      const float a = t.left[i * t.row_step + k * t.term_step];
      const float* right = t.tile + k * kTileColumns;
      for (std::int64_t j = 0; j < kTileColumns; ++j) out[j] = rules::chain(a, right[j], out[j]);
    }
  }
}

const ProductVariants& product_variants() {
#if defined(__x86_64__)
  static const ProductVariants kVariants{
      {{"avx512", cpu_has_avx512() ? product_tile_avx512 : nullptr},
       {"avx2", cpu_has_avx2() ? product_tile_avx2 : nullptr},
       {"portable", product_tile_portable}}};
#else
  static const ProductVariants kVariants{
      {{"avx512", nullptr}, {"avx2", nullptr}, {"portable", product_tile_portable}}};
#endif
  return kVariants;
}

ProductKernel fastest_product() noexcept {
  for (const ProductVariant& variant : product_variants().all) {
    if (variant.kernel != nullptr) return variant.kernel;
  }
  return product_tile_portable;
}

ProductRows::ProductRows(const Factors& factors, ProductKernel kernel)
    : kernel_(kernel),
      cols_(factors.cols),
      kept_(factors.kept),
      at_once_(best_rows(factors.kept, factors.cols)),
      left_(factors.is_transposed ? factors.b.data() : factors.u.data()),
      row_step_(factors.is_transposed ? 1 : factors.kept),
      term_step_(factors.is_transposed ? factors.rows : 1),
      right_(right_tiles(factors)) {}

std::int64_t ProductRows::best_rows(std::int64_t kept, std::int64_t cols) noexcept {
  if (kept * cols > kSmallRight) return kManyRows;
  return cols % 2 == 0 ? kFewRows : 2 * kFewRows;  // in all a multiple of kLanes
}

std::int64_t ProductRows::tiles() const noexcept {
  return tile_count(cols_);
}

ProductTile ProductRows::tile_at(std::int64_t first, std::int64_t count, std::int64_t tile,
                                 float* out) const {
  return {.left = left_ + first * row_step_,
          .row_step = row_step_,
          .term_step = term_step_,
          .tile = right_.data() + tile * kTileColumns * kept_,
          .terms = kept_,
          .rows = count,
          .out = out,
          .out_step = cols_};
}

void ProductRows::make(std::int64_t first, std::int64_t count, float* out) const {
  for (std::int64_t i0 = 0; i0 < count; i0 += at_once_) {
    const std::int64_t rows = std::min(at_once_, count - i0);
    for (std::int64_t tile = 0; tile < tiles(); ++tile) {
      const std::int64_t j0 = tile * kTileColumns, width = std::min(kTileColumns, cols_ - j0);
      const ProductTile one = tile_at(first + i0, rows, tile, out + i0 * cols_ + j0);
      if (width == kTileColumns) {
        kernel_(one);
      } else {
        narrow_tile(kernel_, one, width);
      }
    }
  }
}

void ProductRows::make_tile(std::int64_t row, std::int64_t tile, float* out) const {
  kernel_(tile_at(row, 1, tile, out));
}

double ProductRows::make_all(std::span<float> out) const {
  backend::SquareSum squares;  // of rows that are still in the second cache
  static_assert(2 * kFewRows % kLanes == 0 && kManyRows % kLanes == 0);
  const std::int64_t rows = cols_ == 0 ? 0 : static_cast<std::int64_t>(out.size()) / cols_;
  for (std::int64_t first = 0; first < rows; first += at_once_) {
    const std::int64_t count = std::min(at_once_, rows - first);
    const auto strip = out.subspan(static_cast<std::size_t>(first * cols_),
                                   static_cast<std::size_t>(count * cols_));
    make(first, count, strip.data());
    squares.add(strip);
  }
  return squares.total();
}

double product_by(const ProductVariant& variant, const Factors& factors, std::span<float> out) {
  assert(static_cast<std::int64_t>(out.size()) == factors.rows * factors.cols);
  return ProductRows(factors, variant.kernel).make_all(out);
}

double product(const Factors& factors, std::span<float> out) {
  assert(static_cast<std::int64_t>(out.size()) == factors.rows * factors.cols);
  return ProductRows(factors).make_all(out);
}

}  // namespace koine::lowrank
