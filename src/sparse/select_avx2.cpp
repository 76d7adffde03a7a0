#include "sparse/select_kernels.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

namespace koine::sparse {
namespace {

constexpr int kLanes = 8;
using Floats = __m256;
using Words = __m256i;

inline unsigned first_lanes(int lanes) {
  return (1U << static_cast<unsigned>(lanes)) - 1U;
}
inline int number_of(unsigned lanes) {
  return __builtin_popcount(lanes);
}
inline Words all_of(int x) {
  return _mm256_set1_epi32(x);
}
inline Words numbers() {
  return _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
}
inline Floats load(const float* at, int lanes) {
  if (lanes == kLanes) return _mm256_loadu_ps(at);
  return _mm256_maskload_ps(at, _mm256_cmpgt_epi32(all_of(lanes), numbers()));
}
inline void store(float* at, Floats x, int lanes) {
  if (lanes == kLanes) return _mm256_storeu_ps(at, x);
  _mm256_maskstore_ps(at, _mm256_cmpgt_epi32(all_of(lanes), numbers()), x);
}
inline Words magnitude(Floats x) {
  return _mm256_and_si256(_mm256_castps_si256(x), all_of(0x7FFFFFFF));
}
inline unsigned bits_of(Words mask) {
  return static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(mask)));
}
inline unsigned is_above(Words a, Words b) {
  return bits_of(_mm256_cmpgt_epi32(a, b));
}
inline unsigned is_equal(Words a, Words b) {
  return bits_of(_mm256_cmpeq_epi32(a, b));
}
inline Floats choose(unsigned lanes, Floats yes, Floats no) {
  const Words bit = _mm256_sllv_epi32(all_of(1), numbers());
  const Words is_chosen =
      _mm256_cmpeq_epi32(_mm256_and_si256(all_of(static_cast<int>(lanes)), bit), bit);
  return _mm256_blendv_ps(no, yes, _mm256_castsi256_ps(is_chosen));
}

/// order[s][j]: the j-th lane of set s.
struct Fronts {
  alignas(8) std::uint8_t order[256][8];
};
constexpr Fronts make_fronts() {
  Fronts fronts{};
  for (unsigned lanes = 0; lanes < 256; ++lanes) {
    unsigned size = 0;
    for (unsigned i = 0; i < 8; ++i) {
      if ((lanes >> i & 1U) != 0) fronts.order[lanes][size++] = static_cast<std::uint8_t>(i);
    }
  }
  return fronts;
}
constexpr Fronts kFronts = make_fronts();

/// The chosen lanes in front; a whole vector is written.
inline void store_front(float* at, Words x, unsigned lanes) {
  const auto* row = reinterpret_cast<const __m128i*>(kFronts.order[lanes]);
  const Words order = _mm256_cvtepu8_epi32(_mm_loadl_epi64(row));
  _mm256_storeu_ps(at, _mm256_castsi256_ps(_mm256_permutevar8x32_epi32(x, order)));
}

}  // namespace
}  // namespace koine::sparse

#include "sparse/select_loops.hpp"

namespace koine::sparse {

const SelectKernels& select_avx2() {
  static constexpr SelectKernels kKernels = kernels_named("avx2");
  return kKernels;
}

}  // namespace koine::sparse
#endif
