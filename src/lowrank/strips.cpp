#include "lowrank/strips.hpp"

#include <algorithm>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace koine::lowrank {
namespace {

/// to[k * 16 + i] <- from[i * step + k], i < rows, k < terms.
void turn_plainly(const float* from, std::int64_t step, std::int64_t rows, std::int64_t terms,
                  float* to) {
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t k = 0; k < terms; ++k) to[k * kStripRows + i] = from[i * step + k];
  }
}

/// The same for 16 rows and 16 terms: a cache line of every row.
void turn_square(const float* from, std::int64_t step, float* to) {
#if defined(__x86_64__)
  for (std::int64_t i = 0; i < kStripRows; i += 4) {
    for (std::int64_t k = 0; k < kStripRows; k += 4) {
      const float* corner = from + i * step + k;
      __m128 a = _mm_loadu_ps(corner), b = _mm_loadu_ps(corner + step);
      __m128 c = _mm_loadu_ps(corner + 2 * step), d = _mm_loadu_ps(corner + 3 * step);
      _MM_TRANSPOSE4_PS(a, b, c, d);
      float* out = to + k * kStripRows + i;
      _mm_storeu_ps(out, a);
      _mm_storeu_ps(out + kStripRows, b);
      _mm_storeu_ps(out + 2 * kStripRows, c);
      _mm_storeu_ps(out + 3 * kStripRows, d);
    }
  }
#else
  turn_plainly(from, step, kStripRows, kStripRows, to);
#endif
}

}  // namespace

std::int64_t strips_of(std::int64_t short_side) noexcept {
  return (short_side + kStripRows - 1) / kStripRows;
}

void pack_strip(const ShortSideFirst& side, std::int64_t top, std::int64_t first,
                std::int64_t terms, float* strip) {
  const std::int64_t rows = std::min(kStripRows, side.short_side - top);
  if (rows < kStripRows) std::fill_n(strip, terms * kStripRows, 0.0F);
  if (side.is_transposed) {
    const float* from = side.tau.data + first * side.short_side + top;
    for (std::int64_t k = 0; k < terms; ++k)
      std::copy_n(from + k * side.short_side, rows, strip + k * kStripRows);
    return;
  }
  const std::int64_t step = side.long_side;
  const float* from = side.tau.data + top * step + first;
  std::int64_t k = 0;
  for (; rows == kStripRows && k + kStripRows <= terms; k += kStripRows)
    turn_square(from + k, step, strip + k * kStripRows);
  turn_plainly(from + k, step, rows, terms - k, strip + k * kStripRows);
}

}  // namespace koine::lowrank
