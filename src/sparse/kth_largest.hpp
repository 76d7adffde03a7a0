#pragma once

#include "sparse/keep_largest.hpp"
#include "sparse/select_kernels.hpp"

/// The two ways to the k-th largest, for keep_largest.cpp and the tests. Both are exact.
namespace koine::sparse {

/// Estimates a bracket of keys around the k-th largest from a fixed sample, catches the keys inside
/// it in one pass and searches those; by digits where the k-th is not inside or too many are.
/// Cost: about 1.1 passes over tau and low; at most an eighth of their size for the caught keys.
/// @pre as kth_largest
[[nodiscard]] Threshold kth_by_bracket(const SelectKernels& kernels, ResidualPieces& residual,
                                       std::int64_t k);
[[nodiscard]] Threshold kth_by_bracket(const SelectKernels& kernels, std::span<const float> tau,
                                       std::span<const float> low, std::int64_t k);

/// By radix histograms of the bits. Cost: three passes, no memory. @pre as kth_largest
[[nodiscard]] Threshold kth_by_digits(ResidualPieces& residual, std::int64_t k);
[[nodiscard]] Threshold kth_by_digits(std::span<const float> tau, std::span<const float> low,
                                      std::int64_t k);

}  // namespace koine::sparse
