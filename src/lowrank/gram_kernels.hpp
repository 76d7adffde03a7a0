#pragma once

/// Tiles of A A^T, once per instruction set. Included by files built with wider instructions: no
/// standard header with inline functions may be included here.

#include <cstdint>

#include "lowrank/strip_rows.hpp"

namespace koine::lowrank {

/// out[i][j] = [out[i][j] +] the chain over k of fma(left[k][i], right[k][j]) from +0 in float32,
/// widened; i < rows, j < cols.
struct GramTile {
  const float* left;   ///< a packed strip, [terms, 16]
  const float* right;  ///< `strips` packed strips, [terms, 16] each, one after the other
  std::int64_t terms, strips;
  std::int64_t rows, cols;  ///< at most 16 and 16 * strips
  double* out;              ///< row i at i * out_step
  double* mirrored;         ///< where not null, out[i][j] goes to j * out_step + i as well
  std::int64_t out_step;
  bool is_added = false;
};

using GramKernel = void (*)(const GramTile&);

struct GramVariant {
  const char* name = "";
  GramKernel kernel = nullptr;  ///< null where this build or this CPU does not have it
};

void gram_tile_portable(const GramTile& tile);
#if defined(__x86_64__)
void gram_tile_avx2(const GramTile& tile);
void gram_tile_avx512(const GramTile& tile);
#endif

/// All variants, the fastest first; the last one ("portable") is always there. They give the same
/// bits.
struct GramVariants {
  GramVariant all[3];
};
[[nodiscard]] const GramVariants& gram_variants();

}  // namespace koine::lowrank
