#pragma once

#include <cstdint>
#include <ostream>
#include <vector>

#include "core/shape.hpp"

namespace koine::test {

enum class Spectrum {
  flat_noise,   ///< independent normal entries: no gap anywhere
  power_half,   ///< sigma_j = j^-0.5
  power_two,    ///< sigma_j = j^-2
  exponential,  ///< sigma_j = e^(-j / 4)
  spikes,       ///< 10 large values over noise, like a fine-tuned layer
  exact_rank,   ///< rank 5, factors of small integers: exact in float32
  clusters,     ///< groups of 6 equal values
  fp16_delta,   ///< differences of fp16 numbers: many zeros and ties
  tiny,         ///< power_half at 1e-30
  huge,         ///< power_half at 1e30
};
void PrintTo(Spectrum spectrum, std::ostream* out);

/// Of a test's matrix.
struct Extent {
  std::int64_t rows, cols;
};
void PrintTo(const Extent& e, std::ostream* out);

/// A row-major float32 matrix with that spectrum; the same for the same arguments.
[[nodiscard]] std::vector<float> matrix_with(Spectrum spectrum, std::int64_t rows,
                                             std::int64_t cols);

/// All singular values, descending, by LAPACK's dgesdd in float64: the judge.
[[nodiscard]] std::vector<double> reference_singular_values(MatrixView matrix);

/// A^T of a row-major matrix.
[[nodiscard]] std::vector<float> transposed(const std::vector<float>& matrix, std::int64_t rows,
                                            std::int64_t cols);

}  // namespace koine::test
