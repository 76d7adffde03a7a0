#include "lowrank/block_products_loops.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

namespace koine::lowrank {
namespace {

using block_products::Whole;

/// 12 of 16 registers.
struct Tile {
  static constexpr int kColumns = 3, kBlock = 4;
};

struct Floats : Tile {
  using A = float;
  using T = float;
  using Vector = __m256;
  struct Part {
    __m256i mask;
  };
  static constexpr std::int64_t kWidth = 8;
  static Part part(std::int64_t n) {
    const __m256i index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return {_mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), index)};
  }
  static Vector load(const float* p, Whole /*part*/) { return _mm256_loadu_ps(p); }
  static Vector load(const float* p, Part part) { return _mm256_maskload_ps(p, part.mask); }
  static void store(float* p, Vector x, Whole /*part*/) { _mm256_storeu_ps(p, x); }
  static void store(float* p, Vector x, Part part) { _mm256_maskstore_ps(p, part.mask, x); }
  template <typename Any>
  static Vector take(const float* p, Any part) {
    return load(p, part);
  }
  static Vector broadcast(const float* p) { return _mm256_set1_ps(*p); }
  static Vector add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
  static Vector fma(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
  static void fold(Vector x, bool is_first, float* to) {
    _mm256_store_ps(to, is_first ? x : _mm256_add_ps(_mm256_load_ps(to), x));
  }
};

struct Doubles : Tile {
  using A = double;
  using T = double;
  using Vector = __m256d;
  struct Part {
    __m256i mask;
    __m128i of_floats;
  };
  static constexpr std::int64_t kWidth = 4;
  static Part part(std::int64_t n) {
    const auto count = static_cast<int>(n);
    return {_mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3)),
            _mm_cmpgt_epi32(_mm_set1_epi32(count), _mm_setr_epi32(0, 1, 2, 3))};
  }
  static Vector load(const double* p, Whole /*part*/) { return _mm256_loadu_pd(p); }
  static Vector load(const double* p, Part part) { return _mm256_maskload_pd(p, part.mask); }
  static void store(double* p, Vector x, Whole /*part*/) { _mm256_storeu_pd(p, x); }
  static void store(double* p, Vector x, Part part) { _mm256_maskstore_pd(p, part.mask, x); }
  template <typename Any>
  static Vector take(const double* p, Any part) {
    return load(p, part);
  }
  static Vector broadcast(const double* p) { return _mm256_set1_pd(*p); }
  static Vector add(Vector a, Vector b) { return _mm256_add_pd(a, b); }
  static Vector fma(Vector a, Vector b, Vector c) { return _mm256_fmadd_pd(a, b, c); }
  static void fold(Vector x, bool is_first, double* to) {
    _mm256_store_pd(to, is_first ? x : _mm256_add_pd(_mm256_load_pd(to), x));
  }
};

struct Widened : Doubles {
  using A = float;
  static Vector take(const float* p, Whole /*part*/) { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }
  static Vector take(const float* p, Part part) {
    return _mm256_cvtps_pd(_mm_maskload_ps(p, part.of_floats));
  }
};

}  // namespace

template <>
BlockProducts<float, float> block_products_avx2() {
  return block_products::variant<Floats>("avx2");
}
template <>
BlockProducts<double, double> block_products_avx2() {
  return block_products::variant<Doubles>("avx2");
}
template <>
BlockProducts<float, double> block_products_avx2() {
  return block_products::variant<Widened>("avx2");
}

}  // namespace koine::lowrank
#endif
