#pragma once

#include <span>

#include "core/shape.hpp"
#include "lowrank/truncated_svd.hpp"
#include "sparse/keep_largest.hpp"

/// Plain definitions that the kernels' results are held against: slow, and obvious.
namespace koine::bench {

/// Sampled entries of `gram` (lower triangle, column-major, of the short side) against dot products
/// of rows of A: |error| <= n unit |a_i| |a_j|, unit = 2^-52 or, where it was summed in float32,
/// 2^-23.
[[nodiscard]] bool is_gram(MatrixView tau, const double* gram, double unit);

struct Wanted {
  std::int64_t kept = 0;
  double tolerance = 1e-6;  ///< svd.tolerance
};

/// Each kept triplet by its definition: |A A^T u - theta u| <= tolerance theta_1, and B = U^T A,
/// with what rounding U to float32 (2^-24 of its length) adds to either.
[[nodiscard]] bool is_factorisation(MatrixView tau, const lowrank::Factors& factors,
                                    const Wanted& wanted);

/// Two modes' kept singular values: theta may differ by 2 tolerance theta_1.
[[nodiscard]] bool is_same_spectrum(const lowrank::Factors& a, const lowrank::Factors& b,
                                    double tolerance);

/// Every `step`-th entry of U B by the chain of rules.hpp, bit for bit.
[[nodiscard]] bool is_product(const lowrank::Factors& factors, std::span<const float> low,
                              std::int64_t step);

/// By counting: exactly k entries of |tau - low| lie above the threshold or are its first ties.
[[nodiscard]] bool is_kth_largest(std::span<const float> tau, std::span<const float> low,
                                  const sparse::Threshold& found, std::int64_t k);

/// Entry by entry: m is tau where it is kept, else low.
[[nodiscard]] bool is_taken(std::span<const float> tau, std::span<const float> low,
                            const sparse::Threshold& threshold, std::span<const float> m);

}  // namespace koine::bench
