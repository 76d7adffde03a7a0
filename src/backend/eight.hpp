#pragma once

/// Eight elements at a time, for the files built with AVX2 or AVX-512 (and empty elsewhere). All of
/// it has internal linkage and no standard header: nothing built with wider instructions may be
/// found by the rest of the program.

#if defined(__AVX2__)
#include <cstdint>

#include <immintrin.h>

namespace koine::backend {
namespace {

using Floats = __m256;
using Ints = __m256i;  ///< eight of 32 bits; as a mask: all ones or zero

#if defined(__AVX512F__)

// Conversions under a full mask: g++ 12 warns falsely of the plain ones (its PR 105593).
struct Doubles {
  __m512d v;
};
inline Doubles load(const double* at) {
  return {_mm512_loadu_pd(at)};
}
inline void store(double* at, Doubles x) {
  _mm512_storeu_pd(at, x.v);
}
inline Doubles all(double x) {
  return {_mm512_set1_pd(x)};
}
inline Doubles widen(Floats x) {
  return {_mm512_maskz_cvtps_pd(0xFF, x)};
}
inline Floats narrow(Doubles x) {
  return _mm512_maskz_cvtpd_ps(0xFF, x.v);
}
inline Doubles operator+(Doubles a, Doubles b) {
  return {_mm512_add_pd(a.v, b.v)};
}
inline Doubles operator*(Doubles a, Doubles b) {
  return {_mm512_mul_pd(a.v, b.v)};
}
inline Doubles magnitude(Doubles x) {
  return {_mm512_abs_pd(x.v)};
}
inline Ints differs(Doubles a, Doubles b) {
  return _mm256_movm_epi32(_mm512_cmp_pd_mask(a.v, b.v, _CMP_NEQ_UQ));
}
inline Ints is_larger(Doubles a, Doubles b) {
  return _mm256_movm_epi32(_mm512_cmp_pd_mask(a.v, b.v, _CMP_GT_OQ));
}

#else

struct Doubles {
  __m256d low, high;
};
inline Doubles load(const double* at) {
  return {_mm256_loadu_pd(at), _mm256_loadu_pd(at + 4)};
}
inline void store(double* at, Doubles x) {
  _mm256_storeu_pd(at, x.low);
  _mm256_storeu_pd(at + 4, x.high);
}
inline Doubles all(double x) {
  return {_mm256_set1_pd(x), _mm256_set1_pd(x)};
}
inline Doubles widen(Floats x) {
  return {_mm256_cvtps_pd(_mm256_castps256_ps128(x)), _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1))};
}
inline Floats narrow(Doubles x) {
  return _mm256_set_m128(_mm256_cvtpd_ps(x.high), _mm256_cvtpd_ps(x.low));
}
inline Doubles operator+(Doubles a, Doubles b) {
  return {_mm256_add_pd(a.low, b.low), _mm256_add_pd(a.high, b.high)};
}
inline Doubles operator*(Doubles a, Doubles b) {
  return {_mm256_mul_pd(a.low, b.low), _mm256_mul_pd(a.high, b.high)};
}
inline Doubles magnitude(Doubles x) {
  const __m256d sign = _mm256_set1_pd(-0.0);
  return {_mm256_andnot_pd(sign, x.low), _mm256_andnot_pd(sign, x.high)};
}
/// Masks of 64 bits to masks of 32 bits.
inline Ints halve(__m256d low, __m256d high) {
  const __m256 mixed = _mm256_shuffle_ps(_mm256_castpd_ps(low), _mm256_castpd_ps(high), 0x88);
  return _mm256_permute4x64_epi64(_mm256_castps_si256(mixed), 0xD8);
}
inline Ints differs(Doubles a, Doubles b) {
  return halve(_mm256_cmp_pd(a.low, b.low, _CMP_NEQ_UQ),
               _mm256_cmp_pd(a.high, b.high, _CMP_NEQ_UQ));
}
inline Ints is_larger(Doubles a, Doubles b) {
  return halve(_mm256_cmp_pd(a.low, b.low, _CMP_GT_OQ), _mm256_cmp_pd(a.high, b.high, _CMP_GT_OQ));
}

#endif

inline Ints all_of(int x) {
  return _mm256_set1_epi32(x);
}
inline Ints choose(Ints mask, Ints yes, Ints no) {
  return _mm256_blendv_epi8(no, yes, mask);
}

/// rules::widen_f16: normal values by their bits, subnormal ones by an exact product.
inline Floats widen_f16(__m128i h) {
  const Ints wide = _mm256_cvtepu16_epi32(h);
  const Ints magnitude = _mm256_and_si256(wide, all_of(0x7FFF));
  const Ints sign = _mm256_slli_epi32(_mm256_xor_si256(wide, magnitude), 16);
  const Ints rebias = all_of(112 << 23);
  Ints bits = _mm256_add_epi32(_mm256_slli_epi32(magnitude, 13), rebias);
  const Ints is_special = _mm256_cmpgt_epi32(magnitude, all_of(0x7BFF));  // infinity and NaN
  bits = _mm256_add_epi32(bits, _mm256_and_si256(is_special, rebias));
  const Floats small = _mm256_mul_ps(_mm256_cvtepi32_ps(magnitude), _mm256_set1_ps(0x1p-24F));
  const Ints is_small = _mm256_cmpgt_epi32(all_of(0x400), magnitude);
  bits = choose(is_small, _mm256_castps_si256(small), bits);
  return _mm256_castsi256_ps(_mm256_or_si256(bits, sign));
}

/// rules::widen_bf16.
inline Floats widen_bf16(__m128i b) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(b), 16));
}

/// Eight values of 32 bits below 2^16 in 16 bits each.
inline __m128i pack(Ints x) {
  return _mm_packus_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
}

/// What both 16-bit roundings begin with: float32 rounded to odd. The last bit of an inexact
/// result is 1, so that rounding it again to fewer bits equals one rounding of the float64.
struct Odd {
  Ints bits, sign, is_nan;
};
inline Odd round_to_odd(Doubles x) {
  const Floats nearest = narrow(x);
  const Doubles back = widen(nearest);
  const Ints bits = _mm256_castps_si256(nearest);
  const Ints is_even = _mm256_cmpeq_epi32(_mm256_and_si256(bits, all_of(1)), all_of(0));
  const Ints is_above = is_larger(magnitude(back), magnitude(x));
  const Ints step = choose(is_above, all_of(-1), all_of(1));  // the odd neighbour, on x's side
  const Ints moved = _mm256_and_si256(_mm256_and_si256(differs(back, x), is_even), step);
  return {_mm256_add_epi32(bits, moved), _mm256_and_si256(bits, all_of(INT32_MIN)),
          _mm256_castps_si256(_mm256_cmp_ps(nearest, nearest, _CMP_UNORD_Q))};
}

/// rules::round_f16.
inline __m128i round_f16(Doubles x) {
  const Odd odd = round_to_odd(x);
  const __m128i half = _mm256_cvtps_ph(_mm256_castsi256_ps(odd.bits), _MM_FROUND_TO_NEAREST_INT);
  const Ints quiet = _mm256_or_si256(_mm256_srli_epi32(odd.sign, 16), all_of(0x7E00));
  return pack(choose(odd.is_nan, quiet, _mm256_cvtepu16_epi32(half)));
}

/// rules::round_bf16: half a unit less one, and one more where the kept part is odd.
inline __m128i round_bf16(Doubles x) {
  const Odd odd = round_to_odd(x);
  const Ints lowest = _mm256_and_si256(_mm256_srli_epi32(odd.bits, 16), all_of(1));
  const Ints raised = _mm256_add_epi32(odd.bits, _mm256_add_epi32(lowest, all_of(0x7FFF)));
  const Ints quiet = _mm256_or_si256(_mm256_srli_epi32(odd.sign, 16), all_of(0x7FC0));
  return pack(choose(odd.is_nan, quiet, _mm256_srli_epi32(raised, 16)));
}

/// stats' signs seen (bit 0 plus, 1 minus, 2 again) with those of m added; eight bytes.
inline void note_signs(Floats m, std::uint8_t* seen) {
  const Floats zero = _mm256_setzero_ps();
  const Ints plus = _mm256_castps_si256(_mm256_cmp_ps(m, zero, _CMP_GT_OQ));
  const Ints minus = _mm256_castps_si256(_mm256_cmp_ps(m, zero, _CMP_LT_OQ));
  const Ints code =
      _mm256_or_si256(_mm256_and_si256(plus, all_of(1)), _mm256_and_si256(minus, all_of(2)));
  const __m128i words = pack(code);
  const __m128i now = _mm_packus_epi16(words, words);
  const auto* at = reinterpret_cast<const __m128i*>(seen);
  const __m128i before = _mm_loadl_epi64(at);
  const __m128i none = _mm_setzero_si128();
  const __m128i was_none = _mm_cmpeq_epi8(_mm_and_si128(before, _mm_set1_epi8(3)), none);
  const __m128i is_first = _mm_or_si128(was_none, _mm_cmpeq_epi8(now, none));
  const __m128i again = _mm_andnot_si128(is_first, _mm_set1_epi8(4));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(seen),
                   _mm_or_si128(_mm_or_si128(before, now), again));
}

/// note_signs of kNoted elements.
#if defined(__AVX512BW__)

constexpr std::int64_t kNoted = 64;

inline void note_many(const float* m, std::uint8_t* seen) {
  const __m512 zero = _mm512_setzero_ps();
  std::uint64_t plus = 0, minus = 0;
  for (unsigned i = 0; i < 64; i += 16) {
    const __m512 x = _mm512_loadu_ps(m + i);
    plus |= std::uint64_t{_mm512_cmp_ps_mask(x, zero, _CMP_GT_OQ)} << i;
    minus |= std::uint64_t{_mm512_cmp_ps_mask(x, zero, _CMP_LT_OQ)} << i;
  }
  const __m512i before = _mm512_loadu_si512(seen);
  const auto was_some = std::uint64_t{_mm512_test_epi8_mask(before, _mm512_set1_epi8(3))};
  const __m512i now = _mm512_mask_mov_epi8(_mm512_maskz_mov_epi8(plus, _mm512_set1_epi8(1)), minus,
                                           _mm512_set1_epi8(2));
  const __m512i again = _mm512_maskz_mov_epi8(was_some & (plus | minus), _mm512_set1_epi8(4));
  _mm512_storeu_si512(seen, _mm512_or_si512(_mm512_or_si512(before, now), again));
}

#else

constexpr std::int64_t kNoted = 32;

/// 32 comparisons with zero, a byte each: all ones or zero.
template <int Compare>
inline Ints compare_many(const float* m) {
  Ints x[4];
  for (int i = 0; i < 4; ++i)
    x[i] = _mm256_castps_si256(
        _mm256_cmp_ps(_mm256_loadu_ps(m + std::int64_t{8} * i), _mm256_setzero_ps(), Compare));
  const Ints bytes =
      _mm256_packs_epi16(_mm256_packs_epi32(x[0], x[1]), _mm256_packs_epi32(x[2], x[3]));
  return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

inline void note_many(const float* m, std::uint8_t* seen) {
  const Ints plus = compare_many<_CMP_GT_OQ>(m), minus = compare_many<_CMP_LT_OQ>(m);
  auto* at = reinterpret_cast<Ints*>(seen);
  const Ints before = _mm256_loadu_si256(at);
  const Ints was_none = _mm256_cmpeq_epi8(_mm256_and_si256(before, _mm256_set1_epi8(3)), all_of(0));
  const Ints now = _mm256_or_si256(_mm256_and_si256(plus, _mm256_set1_epi8(1)),
                                   _mm256_and_si256(minus, _mm256_set1_epi8(2)));
  const Ints again = _mm256_and_si256(_mm256_andnot_si256(was_none, _mm256_or_si256(plus, minus)),
                                      _mm256_set1_epi8(4));
  _mm256_storeu_si256(at, _mm256_or_si256(_mm256_or_si256(before, now), again));
}

#endif

}  // namespace
}  // namespace koine::backend
#endif
