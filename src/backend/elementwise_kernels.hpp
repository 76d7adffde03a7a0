#pragma once

/// The element-wise loops, once per instruction set. Included by files built with wider
/// instructions: no standard header with inline functions may be included here.

#include <cstdint>

namespace koine::backend {

/// How elements of 16 or 32 bits lie in memory. float64 is rare and has the portable loops only.
enum class Stored : std::uint8_t { f32, f16, bf16 };

/// Every function is the loop around its rule of core/rules.hpp (or of elementwise.hpp, for signs)
/// and has that rule's bits for every input, but for the payload where two NaN meet. `lanes` are
/// the eight sums of core/lanes.hpp: added to.
struct ElementwiseKernels {
  const char* name;
  void (*widen)(Stored, const void* raw, float* out, std::int64_t count);
  /// tau, the lanes of tau^2, and whether all of tau is finite
  bool (*task_vector)(Stored, const void* expert, const float* base, float* tau, std::int64_t count,
                      double* lanes);
  /// sum += weight * m, the lanes of m^2, and the signs seen of m
  void (*take_part)(double weight, const float* m, double* sum, std::uint8_t* seen,
                    std::int64_t count, double* lanes);
  /// the lanes of m^2 and the signs seen of m
  void (*note_part)(const float* m, std::uint8_t* seen, std::int64_t count, double* lanes);
  /// value = base + lambda * sum, in place
  void (*add_to_base)(Stored, const void* base, double lambda, double* sum, std::int64_t count);
  /// Returns how many finite values became infinite.
  std::int64_t (*round_to)(Stored, const double* value, void* out, std::int64_t count);
  void (*squares)(const float* x, std::int64_t count, double* lanes);
  /// the lanes of <base, delta> and of delta^2
  void (*delta_sums)(const float* base, const double* delta, std::int64_t count, double* dot_lanes,
                     double* square_lanes);
  bool (*all_finite)(const float* x, std::int64_t count);
};

const ElementwiseKernels& elementwise_portable();
#if defined(__x86_64__)
const ElementwiseKernels& elementwise_avx2();
const ElementwiseKernels& elementwise_avx512();
#endif

/// The variants that this CPU has, the fastest first, ended by nullptr; the last one is "portable".
[[nodiscard]] const ElementwiseKernels* const* elementwise_variants();

}  // namespace koine::backend
