#pragma once

#include <cstdint>

#include "kernels/dense.hpp"
#include "kernels/stream.hpp"

/// What one pass over a tensor in device memory says of it. Sums are float64: each tile of 4096
/// elements in a tree that is always the same, then the tiles in another, so that the bits depend
/// on the values alone. Counts are integers. Results stay in device memory. Cost: one read.
/// Asynchronous, local. @throws DeviceError if a launch fails
namespace koine::kernels {

/// float64s of scratch that a sum over `count` elements needs.
[[nodiscard]] std::int64_t partial_sums(std::int64_t count) noexcept;

/// sum <- sum_i x_i^2; largest <- the largest rules::magnitude_key (0x7F800000 and above: not all
/// are finite). `partials`: partial_sums(count).
struct Squares {
  double* sum;
  std::uint32_t* largest;
  double* partials;
};
void squares(const float* x, std::int64_t count, const Squares& to, Stream* stream);

/// sum <- sum_i x_i^2 of `count` float64s in each of `slots` arrays, `step` apart; slot s into
/// sum[s]. `partials`: slots * partial_sums(count).
struct Arrays {
  const double* x;
  std::int64_t count, step, slots;
};
void squares(const Arrays& arrays, double* sum, double* partials, Stream* stream);

/// What is noted of the sum D before it is added to the base, and of the rounded result.
struct ResultFigures {
  double base_dot_delta, delta_squared;
  unsigned long long signs_total,
      signs_agree;               ///< of rules::see_sign: two or more; of these, alike
  unsigned long long overflows;  ///< finite before rounding, infinite after
};
/// What result_figures reads: the base, D, the signs seen, and what D was rounded to.
struct Result {
  MergeTerms terms;
  const std::uint8_t* seen;
  RawArray out;
};
/// `partials`: 2 * partial_sums(count).
void result_figures(const Result& result, std::int64_t count, ResultFigures* to, double* partials,
                    Stream* stream);

}  // namespace koine::kernels
