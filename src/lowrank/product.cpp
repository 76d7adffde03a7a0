#include "lowrank/product.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <vector>

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

/// L = left right, both in the orientation of tau.
struct Operands {
  const float* left = nullptr;
  std::int64_t row_step = 0, term_step = 0;
  std::vector<float> right;  ///< tiles of [kept, 64], the last one filled up with zeros
};

std::int64_t rows_at_once(const Factors& factors) {
  return factors.kept * factors.cols <= kSmallRight ? kFewRows : kManyRows;
}

std::int64_t tile_count(const Factors& factors) {
  return (factors.cols + kTileColumns - 1) / kTileColumns;
}

/// The right factor [kept, cols] cut into tiles; of a transposed pair it is U^T.
std::vector<float> right_tiles(const Factors& factors) {
  std::vector<float> tiles(
      static_cast<std::size_t>(tile_count(factors) * factors.kept * kTileColumns));
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

Operands operands_of(const Factors& factors) {
  if (factors.is_transposed) return {factors.b.data(), 1, factors.rows, right_tiles(factors)};
  return {factors.u.data(), factors.kept, 1, right_tiles(factors)};
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

double product_by(const ProductVariant& variant, const Factors& factors, std::span<float> out) {
  assert(static_cast<std::int64_t>(out.size()) == factors.rows * factors.cols);
  const Operands operands = operands_of(factors);
  backend::SquareSum squares;  // of rows that are still in the second cache
  static_assert(kFewRows % kLanes == 0 && kManyRows % kLanes == 0);
  const std::int64_t at_once = rows_at_once(factors);
  for (std::int64_t i0 = 0; i0 < factors.rows; i0 += at_once) {
    const std::int64_t rows = std::min(at_once, factors.rows - i0);
    for (std::int64_t j0 = 0; j0 < factors.cols; j0 += kTileColumns) {
      const ProductTile tile{
          operands.left + i0 * operands.row_step,    operands.row_step, operands.term_step,
          operands.right.data() + j0 * factors.kept, factors.kept,      rows,
          out.data() + i0 * factors.cols + j0,       factors.cols};
      const std::int64_t width = factors.cols - j0;
      if (width >= kTileColumns) {
        variant.kernel(tile);
      } else {
        narrow_tile(variant.kernel, tile, width);
      }
    }
    squares.add(out.subspan(static_cast<std::size_t>(i0 * factors.cols),
                            static_cast<std::size_t>(rows * factors.cols)));
  }
  return squares.total();
}

double product(const Factors& factors, std::span<float> out) {
  for (const ProductVariant& variant : product_variants().all) {
    if (variant.kernel != nullptr) return product_by(variant, factors, out);
  }
  return 0;
}

}  // namespace koine::lowrank
