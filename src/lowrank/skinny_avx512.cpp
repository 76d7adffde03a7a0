#include "lowrank/skinny_loops.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

namespace koine::lowrank {
namespace {

struct Floats {  // two half registers a cycle are as much as one
  using T = float;
  using Vector = __m256;
  static constexpr int kRegisters = 1;
  static Vector load(const float* p) { return _mm256_load_ps(p); }
  static void store(float* p, Vector x) { _mm256_store_ps(p, x); }
  static Vector broadcast(const float* p) { return _mm256_set1_ps(*p); }
  static Vector add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
  static Vector fma(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
};

struct FloatColumns {
  using T = float;
  using Vector = __m512;
  static constexpr int kWidth = 16, kVectors = 3, kBlock = 8;  // 24 of 32 registers
  static Vector load(const float* p) { return _mm512_load_ps(p); }
  static Vector load_any(const float* p) {
    read_ahead(p);  // panels are packed
    return _mm512_loadu_ps(p);
  }
  static void store(float* p, Vector x) { _mm512_store_ps(p, x); }
  static Vector broadcast(const float* p) { return _mm512_set1_ps(*p); }
  static Vector add(Vector a, Vector b) { return _mm512_add_ps(a, b); }
  static Vector fma(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
};

struct Doubles {
  using T = double;
  using Vector = __m512d;
  static constexpr int kRegisters = 1;
  static Vector load(const double* p) { return _mm512_load_pd(p); }
  static void store(double* p, Vector x) { _mm512_store_pd(p, x); }
  static Vector broadcast(const double* p) { return _mm512_set1_pd(*p); }
  static Vector add(Vector a, Vector b) { return _mm512_add_pd(a, b); }
  static Vector fma(Vector a, Vector b, Vector c) { return _mm512_fmadd_pd(a, b, c); }
};

struct DoubleColumns : Doubles {
  static constexpr int kWidth = 8, kVectors = 3, kBlock = 8;
  static Vector load_any(const double* p) { return _mm512_loadu_pd(p); }
};

// Chains in flight. Rows of A may lie a multiple of 4 KiB apart, in one set of the first cache: no
// more than its eight ways.
constexpr int kRows = 8, kPackedRows = 16;
constexpr int kColumns = 16;  // one cache line of floats

}  // namespace

template <>
SkinnyVariant<float> skinny_avx512<float>() {
  return {"avx512", skinny::times<Floats, kRows, kPackedRows>,
          skinny::transposed_times_by_columns<Floats, kColumns, FloatColumns>};
}
template <>
SkinnyVariant<double> skinny_avx512<double>() {
  return {"avx512", skinny::times<Doubles, kRows, kPackedRows>,
          skinny::transposed_times_by_columns<Doubles, kColumns, DoubleColumns>,
          skinny::widen<Doubles>};
}

}  // namespace koine::lowrank
#endif
