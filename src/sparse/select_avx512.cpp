#include "sparse/select_kernels.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

namespace koine::sparse {
namespace {

constexpr int kLanes = 16;
using Floats = __m512;
using Words = __m512i;

inline unsigned first_lanes(int lanes) {
  return (1U << static_cast<unsigned>(lanes)) - 1U;
}
inline __mmask16 as_mask(unsigned lanes) {
  return static_cast<__mmask16>(lanes);
}
inline int number_of(unsigned lanes) {
  return __builtin_popcount(lanes);
}
inline Floats load(const float* at, int lanes) {
  if (lanes == kLanes) return _mm512_loadu_ps(at);
  return _mm512_maskz_loadu_ps(as_mask(first_lanes(lanes)), at);
}
inline void store(float* at, Floats x, int lanes) {
  if (lanes == kLanes) return _mm512_storeu_ps(at, x);
  _mm512_mask_storeu_ps(at, as_mask(first_lanes(lanes)), x);
}
inline Words all_of(int x) {
  return _mm512_set1_epi32(x);
}
inline Words magnitude(Floats x) {
  return _mm512_and_si512(_mm512_castps_si512(x), all_of(0x7FFFFFFF));
}
/// g++ 12 at -O1 spills the 16 bits of a mask and reads 32 of them back, holding the rest to be
/// zero; what it cannot see through it does not believe so, and `& first_lanes` stays.
inline unsigned as_word(__mmask16 mask) {
  unsigned word = mask;
  asm("" : "+r"(word));
  return word;
}
inline unsigned is_above(Words a, Words b) {
  return as_word(_mm512_cmpgt_epi32_mask(a, b));
}
inline unsigned is_equal(Words a, Words b) {
  return as_word(_mm512_cmpeq_epi32_mask(a, b));
}
inline Floats choose(unsigned lanes, Floats yes, Floats no) {
  return _mm512_mask_blend_ps(as_mask(lanes), no, yes);
}
/// The chosen lanes in front; a whole vector is written (compressing into memory is slow on some).
inline void store_front(float* at, Words x, unsigned lanes) {
  _mm512_storeu_si512(at, _mm512_maskz_compress_epi32(as_mask(lanes), x));
}

}  // namespace
}  // namespace koine::sparse

#include "sparse/select_loops.hpp"

namespace koine::sparse {

const SelectKernels& select_avx512() {
  static constexpr SelectKernels kKernels = kernels_named("avx512");
  return kKernels;
}

}  // namespace koine::sparse
#endif
