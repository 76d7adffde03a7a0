#include "lowrank/gram_loops.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

namespace koine::lowrank {
namespace {

struct Lane {
  using Vector = __m256;
  static constexpr int kRegisters = 2, kRows = 4, kVectors = 3;  // 12 of 16 registers
  static Vector load(const float* p) { return _mm256_load_ps(p); }
  static void store(float* p, Vector x) { _mm256_store_ps(p, x); }
  static Vector broadcast(const float* p) { return _mm256_set1_ps(*p); }
  static Vector fma(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
};

}  // namespace

void gram_tile_avx2(const GramTile& t) {
  gram::tile<Lane>(t);
}

}  // namespace koine::lowrank
#endif
