#pragma once

#include "lowrank/gram.hpp"

namespace koine::lowrank {

/// workspace.gram <- A A^T of which each term is multiplied and summed in float32, in chains of 256
/// along the long side, the chains added in float64: all of the square. The same
/// bits on every CPU. Cost: short^2 * long flops in float32; a panel of A, packed, at a time.
void gram_matrix_float32(const ShortSideFirst& side, Workspace& workspace);

/// Whether the squares of tau's entries neither overflow float32 nor lose more to underflow than to
/// rounding.
[[nodiscard]] bool squares_fit_float32(const ShortSideFirst& side, double tau_squared) noexcept;

/// An upper bound of |E|_2, E what gram_matrix_float32 adds to A A^T: gamma_258 |A|_F^2 by rounding
/// (Higham, Accuracy and Stability of Numerical Algorithms, 3.1: |E| <= gamma |A| |A|^T), and half
/// of float32's smallest number for each term that underflows.
[[nodiscard]] double float32_gram_error(const ShortSideFirst& side, double tau_squared) noexcept;

}  // namespace koine::lowrank
