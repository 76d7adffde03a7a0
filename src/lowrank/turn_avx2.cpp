#include "lowrank/turn_kernels.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

namespace koine::lowrank {
namespace {

/// Four floats of row 0 and of row 4.
inline __m256 two_quarters(const float* from, std::int64_t step) {
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(from)),
                              _mm_loadu_ps(from + 4 * step), 1);
}

/// Columns of eight rows and four columns become four rows.
inline void turn_half(const float* from, std::int64_t step, float* to, std::int64_t to_step) {
  const __m256 a = two_quarters(from, step), b = two_quarters(from + step, step);
  const __m256 c = two_quarters(from + 2 * step, step), d = two_quarters(from + 3 * step, step);
  const __m256 ab_low = _mm256_unpacklo_ps(a, b), ab_high = _mm256_unpackhi_ps(a, b);
  const __m256 cd_low = _mm256_unpacklo_ps(c, d), cd_high = _mm256_unpackhi_ps(c, d);
  _mm256_storeu_ps(to, _mm256_shuffle_ps(ab_low, cd_low, 0x44));
  _mm256_storeu_ps(to + to_step, _mm256_shuffle_ps(ab_low, cd_low, 0xEE));
  _mm256_storeu_ps(to + 2 * to_step, _mm256_shuffle_ps(ab_high, cd_high, 0x44));
  _mm256_storeu_ps(to + 3 * to_step, _mm256_shuffle_ps(ab_high, cd_high, 0xEE));
}

}  // namespace

void turn_square_avx2(const float* from, std::int64_t step, float* to, std::int64_t to_step) {
  for (std::int64_t i = 0; i < kStripRows; i += 8) {
    for (std::int64_t k = 0; k < kStripRows; k += 4)
      turn_half(from + i * step + k, step, to + k * to_step + i, to_step);
  }
}

}  // namespace koine::lowrank
#endif
