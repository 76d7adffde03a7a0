#include "lowrank/product_kernels.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

namespace koine::lowrank {
namespace {

/// `Rows` rows of 32 columns: Rows * 4 accumulators of 8.
template <int Rows>
inline void strip(const ProductTile& t, std::int64_t row, std::int64_t column) {
  __m256 sum[Rows][4];
  for (int i = 0; i < Rows; ++i) {
    for (int v = 0; v < 4; ++v) sum[i][v] = _mm256_setzero_ps();
  }
  const float* left = t.left + row * t.row_step;
  const float* right = t.tile + column;
  for (std::int64_t k = 0; k < t.terms; ++k, left += t.term_step, right += kTileColumns) {
    __m256 b[4];
    for (std::int64_t v = 0; v < 4; ++v) b[v] = _mm256_loadu_ps(right + 8 * v);
    for (int i = 0; i < Rows; ++i) {
      const __m256 a = _mm256_set1_ps(left[i * t.row_step]);
      for (int v = 0; v < 4; ++v) sum[i][v] = _mm256_fmadd_ps(a, b[v], sum[i][v]);
    }
  }
  for (int i = 0; i < Rows; ++i) {
    float* out = t.out + (row + i) * t.out_step + column;
    for (std::int64_t v = 0; v < 4; ++v) _mm256_storeu_ps(out + 8 * v, sum[i][v]);
  }
}

}  // namespace

void product_tile_avx2(const ProductTile& t) {
  for (std::int64_t column = 0; column < kTileColumns; column += 32) {
    std::int64_t row = 0;
    for (; row + 2 <= t.rows; row += 2) strip<2>(t, row, column);
    if (row < t.rows) strip<1>(t, row, column);
  }
}

}  // namespace koine::lowrank
#endif
