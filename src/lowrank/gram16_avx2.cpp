#include "lowrank/gram16_loops.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

namespace koine::lowrank {
namespace {

struct Lane {
  using Vector = __m256i;
  static constexpr int kRegisters = 2, kRows = 4, kVectors = 2;
  static Vector load(const void* p) { return _mm256_load_si256(static_cast<const Vector*>(p)); }
  static void store(std::int32_t* p, Vector x) {
    _mm256_store_si256(reinterpret_cast<Vector*>(p), x);
  }
  static Vector broadcast(const TermPair* p) { return _mm256_set1_epi32(static_cast<int>(*p)); }
  static constexpr bool kCrosses = true;
  static Vector add_products(Vector sum, const gram16::Pairs<Lane>& a,
                             const gram16::Pairs<Lane>& b) {
    const Vector crossed =
        _mm256_madd_epi16(_mm256_add_epi16(a.even, b.odd), _mm256_add_epi16(a.odd, b.even));
    return _mm256_add_epi32(sum, crossed);
  }

  using Floats = __m256;
  static constexpr int kFloats = 2;
  static Floats load(const float* p) { return _mm256_load_ps(p); }
  static Floats broadcast(const float* p) { return _mm256_set1_ps(*p); }
  static Floats minus_product(Floats x, Floats a, Floats b) { return _mm256_fnmadd_ps(a, b, x); }
  static Floats larger(Floats x, Floats y) {  // |y|
    return _mm256_max_ps(x, _mm256_andnot_ps(_mm256_set1_ps(-0.0F), y));
  }

  using Doubles = __m256d;
  static constexpr int kHalves = 2;
  static void add_squares(Floats x, Doubles* sums) {
    const Doubles low = _mm256_cvtps_pd(_mm256_castps256_ps128(x));
    const Doubles high = _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1));
    sums[0] = _mm256_add_pd(sums[0], _mm256_mul_pd(low, low));
    sums[1] = _mm256_add_pd(sums[1], _mm256_mul_pd(high, high));
  }
};

}  // namespace

Gram16Variant gram16_avx2() {
  return {"avx2", gram16::tile<Lane>, gram16::lengths<Lane>, gram16::round<Lane>,
          gram16::without<Lane>};
}

}  // namespace koine::lowrank
#endif
