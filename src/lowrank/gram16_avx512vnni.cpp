#include "lowrank/gram16_loops.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

namespace koine::lowrank {
namespace {

struct Lane {
  using Vector = __m512i;
  static constexpr int kRegisters = 1, kRows = 8, kVectors = 3;  // 24 of 32 registers
  static Vector load(const void* p) { return _mm512_load_si512(p); }
  static void store(std::int32_t* p, Vector x) { _mm512_store_si512(p, x); }
  static Vector broadcast(const TermPair* p) { return _mm512_set1_epi32(static_cast<int>(*p)); }
  static constexpr bool kCrosses = false;
  static Vector add_products(Vector sum, const gram16::Pairs<Lane>& a,
                             const gram16::Pairs<Lane>& b) {
    return _mm512_dpwssd_epi32(_mm512_dpwssd_epi32(sum, a.even, b.even), a.odd, b.odd);
  }

  using Floats = __m512;
  static constexpr int kFloats = 1;
  static Floats load(const float* p) { return _mm512_load_ps(p); }
  static Floats broadcast(const float* p) { return _mm512_set1_ps(*p); }
  static Floats minus_product(Floats x, Floats a, Floats b) { return _mm512_fnmadd_ps(a, b, x); }
  static Floats larger(Floats x, Floats y) {  // |y|
    return _mm512_maskz_max_ps(0xFFFF, x, _mm512_andnot_ps(_mm512_set1_ps(-0.0F), y));
  }

  using Doubles = __m512d;
  static constexpr int kHalves = 2;
  static void add_squares(Floats x, Doubles* sums) {  // full masks: eight.hpp
    const Doubles low = _mm512_maskz_cvtps_pd(0xFF, _mm512_maskz_extractf32x8_ps(0xFF, x, 0));
    const Doubles high = _mm512_maskz_cvtps_pd(0xFF, _mm512_maskz_extractf32x8_ps(0xFF, x, 1));
    sums[0] = _mm512_add_pd(sums[0], _mm512_mul_pd(low, low));
    sums[1] = _mm512_add_pd(sums[1], _mm512_mul_pd(high, high));
  }
};

}  // namespace

Gram16Variant gram16_avx512vnni() {
  return {"avx512vnni", gram16::tile<Lane>, gram16::lengths<Lane>, gram16::round<Lane>,
          gram16::without<Lane>};
}

}  // namespace koine::lowrank
#endif
