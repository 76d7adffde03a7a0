#include "lowrank/strips.hpp"

#include <algorithm>
#include <cstring>

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

}  // namespace

std::int64_t strips_of(std::int64_t short_side) noexcept {
  return (short_side + kStripRows - 1) / kStripRows;
}

void turn_square(const float* from, std::int64_t step, float* to, std::int64_t to_step) {
#if defined(__x86_64__)
  for (std::int64_t i = 0; i < kStripRows; i += 4) {
    for (std::int64_t k = 0; k < kStripRows; k += 4) {
      const float* corner = from + i * step + k;
      __m128 a = _mm_loadu_ps(corner), b = _mm_loadu_ps(corner + step);
      __m128 c = _mm_loadu_ps(corner + 2 * step), d = _mm_loadu_ps(corner + 3 * step);
      _MM_TRANSPOSE4_PS(a, b, c, d);
      float* out = to + k * to_step + i;
      _mm_storeu_ps(out, a);
      _mm_storeu_ps(out + to_step, b);
      _mm_storeu_ps(out + 2 * to_step, c);
      _mm_storeu_ps(out + 3 * to_step, d);
    }
  }
#else
  for (std::int64_t i = 0; i < kStripRows; ++i) {
    for (std::int64_t k = 0; k < kStripRows; ++k) to[k * to_step + i] = from[i * step + k];
  }
#endif
}

void pack_strip(const ShortSideFirst& side, std::int64_t top, std::int64_t first,
                std::int64_t terms, float* strip) {
  const std::int64_t rows = std::min(kStripRows, side.short_side - top);
  if (rows < kStripRows) std::fill_n(strip, terms * kStripRows, 0.0F);
  if (side.is_transposed) {
    const float* from = side.tau.data + first * side.short_side + top;
    for (std::int64_t k = 0; k < terms; ++k, from += side.short_side, strip += kStripRows) {
      if (rows == kStripRows) {
        std::memcpy(strip, from, kStripRows * sizeof(float));  // a length that the compiler knows
      } else {
        std::copy_n(from, rows, strip);
      }
    }
    return;
  }
  const std::int64_t step = side.long_side;
  const float* from = side.tau.data + top * step + first;
  std::int64_t k = 0;
  for (; rows == kStripRows && k + kStripRows <= terms; k += kStripRows)
    turn_square(from + k, step, strip + k * kStripRows, kStripRows);
  turn_plainly(from + k, step, rows, terms - k, strip + k * kStripRows);
}

}  // namespace koine::lowrank
