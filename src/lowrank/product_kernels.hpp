#pragma once

/// The low-rank chain over one tile, once per instruction set. Included by files built with wider
/// instructions: no standard header with inline functions may be included here.

#include <cstdint>

namespace koine::lowrank {

constexpr std::int64_t kTileColumns = 64;

/// out[i][j] = chain over k of fma(left[i][k], tile[k][j]) from +0, for j < 64.
struct ProductTile {
  const float* left;  ///< left[i][k] at i * row_step + k * term_step
  std::int64_t row_step;
  std::int64_t term_step;
  const float* tile;  ///< [terms, 64]
  std::int64_t terms;
  std::int64_t rows;
  float* out;  ///< row i at i * out_step, 64 wide
  std::int64_t out_step;
};

using ProductKernel = void (*)(const ProductTile&);

struct ProductVariant {
  const char* name = "";
  ProductKernel kernel = nullptr;  ///< null where this build or this CPU does not have it
};

void product_tile_portable(const ProductTile& tile);
#if defined(__x86_64__)
void product_tile_avx2(const ProductTile& tile);
void product_tile_avx512(const ProductTile& tile);
#endif

/// All variants, the fastest first; the last one ("portable") is always there.
struct ProductVariants {
  ProductVariant all[3];
};
[[nodiscard]] const ProductVariants& product_variants();

}  // namespace koine::lowrank
