#include "lowrank/product_kernels.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

namespace koine::lowrank {
namespace {

/// `Rows` rows of 64 columns: Rows * 4 accumulators of 16.
template <int Rows>
inline void strip(const ProductTile& t, std::int64_t row) {
  __m512 sum[Rows][4];
  for (int i = 0; i < Rows; ++i) {
    for (int v = 0; v < 4; ++v) sum[i][v] = _mm512_setzero_ps();
  }
  const float* left = t.left + row * t.row_step;
  const float* right = t.tile;
  for (std::int64_t k = 0; k < t.terms; ++k, left += t.term_step, right += kTileColumns) {
    __m512 b[4];
    for (std::int64_t v = 0; v < 4; ++v) b[v] = _mm512_loadu_ps(right + 16 * v);
    for (int i = 0; i < Rows; ++i) {
      const __m512 a = _mm512_set1_ps(left[i * t.row_step]);
      for (int v = 0; v < 4; ++v) sum[i][v] = _mm512_fmadd_ps(a, b[v], sum[i][v]);
    }
  }
  for (int i = 0; i < Rows; ++i) {
    float* out = t.out + (row + i) * t.out_step;
    for (std::int64_t v = 0; v < 4; ++v) _mm512_storeu_ps(out + 16 * v, sum[i][v]);
  }
}

}  // namespace

void product_tile_avx512(const ProductTile& t) {
  std::int64_t row = 0;
  for (; row + 4 <= t.rows; row += 4) strip<4>(t, row);
  for (; row < t.rows; ++row) strip<1>(t, row);
}

}  // namespace koine::lowrank
#endif
