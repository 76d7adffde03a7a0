#include "lowrank/skinny_loops.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

namespace koine::lowrank {
namespace {

struct Floats {
  using T = float;
  using Vector = __m256;
  static constexpr int kRegisters = 1;
  static Vector load(const float* p) { return _mm256_load_ps(p); }
  static void store(float* p, Vector x) { _mm256_store_ps(p, x); }
  static Vector broadcast(const float* p) { return _mm256_set1_ps(*p); }
  static Vector add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
  static Vector fma(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
};

struct FloatColumns : Floats {
  static constexpr int kWidth = 8, kVectors = 3, kBlock = 4;  // 12 of 16 registers
  static Vector load_any(const float* p) { return _mm256_loadu_ps(p); }
};

struct Doubles {
  using T = double;
  using Vector = __m256d;
  static constexpr int kRegisters = 2;
  static Vector load(const double* p) { return _mm256_load_pd(p); }
  static void store(double* p, Vector x) { _mm256_store_pd(p, x); }
  static Vector broadcast(const double* p) { return _mm256_set1_pd(*p); }
  static Vector add(Vector a, Vector b) { return _mm256_add_pd(a, b); }
  static Vector fma(Vector a, Vector b, Vector c) { return _mm256_fmadd_pd(a, b, c); }
};

// Chains in flight. Rows of A may lie a multiple of 4 KiB apart, in one set of the first cache: no
// more than its eight ways.
constexpr int kRows = 8;
// Of two registers each, in sixteen. Panels have a multiple of four columns.
constexpr int kPairs = 6, kColumnPairs = 4;

}  // namespace

template <>
SkinnyVariant<float> skinny_avx2<float>() {
  return {"avx2", skinny::times<Floats, kRows, kRows>,
          skinny::transposed_times_by_columns<Floats, kRows, FloatColumns>};
}
template <>
SkinnyVariant<double> skinny_avx2<double>() {
  return {"avx2", skinny::times<Doubles, kPairs, kPairs>,
          skinny::transposed_times<Doubles, kColumnPairs>, skinny::widen<Doubles>};
}

}  // namespace koine::lowrank
#endif
