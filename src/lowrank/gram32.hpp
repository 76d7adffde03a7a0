#pragma once

#include "lowrank/gram.hpp"

namespace koine::lowrank {

inline constexpr std::int64_t kGramChain = 256;  ///< terms summed in float32; shapes the bits of G

/// workspace.gram <- A A^T of which each term is multiplied and summed in float32, in chains of
/// kGramChain along the long side, the chains added in float64: all of the square. The same bits on
/// every CPU. Cost: short^2 * long flops in float32; a panel of A, packed, at a time.
void gram_matrix_float32(const ShortSideFirst& side, Workspace& workspace);

/// A finer residual is not to be had of products in float32.
inline constexpr double kFloat32Tolerance = 2e-7;

/// What a term of G in float32 may lose to underflow.
inline constexpr double kHalfOfSmallest = 0x1p-150;

/// Whether the squares of tau's entries neither overflow float32 nor lose more to underflow than to
/// rounding. entries: of tau; lost: of each term.
[[nodiscard]] bool squares_fit_float32(std::int64_t entries, double tau_squared,
                                       double lost = kHalfOfSmallest) noexcept;

/// An upper bound of |E|_2, E what gram_matrix_float32 adds to A A^T: gamma_258 |A|_F^2 by rounding
/// (Higham, Accuracy and Stability of Numerical Algorithms, 3.1: |E| <= gamma |A| |A|^T, in
/// whatever order a chain's terms are added), and what the short^2 long terms lose.
[[nodiscard]] double float32_gram_error(std::int64_t entries, double tau_squared,
                                        double lost = kHalfOfSmallest) noexcept;

}  // namespace koine::lowrank
