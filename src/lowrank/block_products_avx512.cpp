#include "lowrank/block_products_loops.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

namespace koine::lowrank {
namespace {

using block_products::Whole;

/// 24 of 32 registers.
struct Tile {
  static constexpr int kColumns = 3, kBlock = 8;
};

struct Floats : Tile {
  using A = float;
  using T = float;
  using Vector = __m512;
  using Part = __mmask16;
  static constexpr std::int64_t kWidth = 16;
  static Part part(std::int64_t n) { return static_cast<Part>((1U << n) - 1); }
  static Vector load(const float* p, Whole /*part*/) { return _mm512_loadu_ps(p); }
  static Vector load(const float* p, Part part) { return _mm512_maskz_loadu_ps(part, p); }
  static void store(float* p, Vector x, Whole /*part*/) { _mm512_storeu_ps(p, x); }
  static void store(float* p, Vector x, Part part) { _mm512_mask_storeu_ps(p, part, x); }
  template <typename Any>
  static Vector take(const float* p, Any part) {
    return load(p, part);
  }
  static Vector broadcast(const float* p) { return _mm512_set1_ps(*p); }
  static Vector add(Vector a, Vector b) { return _mm512_add_ps(a, b); }
  static Vector fma(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
  static void fold(Vector x, bool /*is_first*/, float* to) {
    _mm256_store_ps(to, _mm256_add_ps(_mm512_maskz_extractf32x8_ps(0xFF, x, 0),
                                      _mm512_maskz_extractf32x8_ps(0xFF, x, 1)));
  }
};

struct Doubles : Tile {
  using A = double;
  using T = double;
  using Vector = __m512d;
  using Part = __mmask8;
  static constexpr std::int64_t kWidth = 8;
  static Part part(std::int64_t n) { return static_cast<Part>((1U << n) - 1); }
  static Vector load(const double* p, Whole /*part*/) { return _mm512_loadu_pd(p); }
  static Vector load(const double* p, Part part) { return _mm512_maskz_loadu_pd(part, p); }
  static void store(double* p, Vector x, Whole /*part*/) { _mm512_storeu_pd(p, x); }
  static void store(double* p, Vector x, Part part) { _mm512_mask_storeu_pd(p, part, x); }
  template <typename Any>
  static Vector take(const double* p, Any part) {
    return load(p, part);
  }
  static Vector broadcast(const double* p) { return _mm512_set1_pd(*p); }
  static Vector add(Vector a, Vector b) { return _mm512_add_pd(a, b); }
  static Vector fma(Vector a, Vector b, Vector c) { return _mm512_fmadd_pd(a, b, c); }
  static void fold(Vector x, bool /*is_first*/, double* to) {
    _mm256_store_pd(to, _mm256_add_pd(_mm512_maskz_extractf64x4_pd(0xF, x, 0),
                                      _mm512_maskz_extractf64x4_pd(0xF, x, 1)));
  }
};

struct Widened : Doubles {
  using A = float;
  static Vector take(const float* p, Whole /*part*/) { return widen(_mm256_loadu_ps(p)); }
  static Vector take(const float* p, Part part) { return widen(_mm256_maskz_loadu_ps(part, p)); }
  static Vector widen(__m256 x) { return _mm512_maskz_cvtps_pd(0xFF, x); }
};

}  // namespace

template <>
BlockProducts<float, float> block_products_avx512() {
  return block_products::variant<Floats>("avx512");
}
template <>
BlockProducts<double, double> block_products_avx512() {
  return block_products::variant<Doubles>("avx512");
}
template <>
BlockProducts<float, double> block_products_avx512() {
  return block_products::variant<Widened>("avx512");
}

}  // namespace koine::lowrank
#endif
