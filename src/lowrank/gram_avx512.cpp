#include "lowrank/gram_loops.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

namespace koine::lowrank {
namespace {

struct Lane {
  using Vector = __m512;
  static constexpr int kRegisters = 1, kRows = 8, kVectors = 3;  // 24 of 32 registers
  static Vector load(const float* p) { return _mm512_load_ps(p); }
  static void store(float* p, Vector x) { _mm512_store_ps(p, x); }
  static Vector broadcast(const float* p) { return _mm512_set1_ps(*p); }
  static Vector fma(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
};

}  // namespace

void gram_tile_avx512(const GramTile& t) {
  gram::tile<Lane>(t);
}

}  // namespace koine::lowrank
#endif
