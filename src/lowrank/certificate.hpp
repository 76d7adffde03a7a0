#pragma once

#include <cstdint>

#include "lowrank/truncated_svd.hpp"

namespace koine::lowrank {

/// The most that columns of U may lack in orthogonality: far below half a unit of float32 (3e-8),
/// to which U is rounded.
inline constexpr double kOrthogonalityLimit = 1e-10;

/// What rounding in float64 hides in a matrix of this order: 8 m u theta_1, u = 2^-53 (docs:
/// numerics).
[[nodiscard]] double rounding_floor(std::int64_t short_side, double largest) noexcept;

/// max over the first `kept` rows u of workspace.vectors of |G u - theta u|_2 / theta_1. Cost: 2
/// short^2 kept flops.
[[nodiscard]] double largest_residual(std::int64_t short_side, std::int64_t kept,
                                      Workspace& workspace);

/// max |V V^T - I| over the first `kept` rows V of workspace.vectors. Cost: short kept^2 flops.
[[nodiscard]] double orthogonality_defect(std::int64_t short_side, std::int64_t kept,
                                          Workspace& workspace);

/// Whether c I - (G - sum over the first `kept` pairs of theta u u^T) is positive definite: then no
/// eigenvalue of G above c lies outside the span of those u. Cholesky in float64, short^3 / 3
/// flops; workspace.gram stays as it is. Values that exceed c by less than rounding_floor may pass.
[[nodiscard]] bool nothing_missed_above(double c, std::int64_t short_side, std::int64_t kept,
                                        Workspace& workspace);

/// The same proof from the Krylov space that the pairs were found in, at the cost of reading G
/// once: with D = (I - Q Q^T) G (I - Q Q^T) and d = |D|_F, known from |G|_F^2 = |H|_F^2 + 2 |B|_F^2
/// + |D|_F^2, no more eigenvalues of G exceed c > d than of H + B^T B / (c - d) (Haynsworth's
/// inertia of the Schur complement of c I - D). False says nothing: flat spectra keep too much
/// outside a small space.
/// `gram_squared`: |G|_F^2, where workspace.gram is not G's.
/// @pre workspace.krylov holds the space of the first `kept` pairs, workspace.values their values
[[nodiscard]] bool nothing_missed_outside(double c, std::int64_t short_side, std::int64_t kept,
                                          Workspace& workspace,
                                          const double* gram_squared = nullptr);

/// What is known of a G that the space was built of by products that round.
struct FromProducts {
  double without;        ///< an upper bound of |P G P|_F, P = I - U U^T, U the first `rung` pairs
  std::int64_t rung;     ///< of the space, those that it has
  double product_error;  ///< of |G q - product|_2 for every vector q of the basis
};

/// What the products' errors F do to H and B: e = sqrt(2) |F|_F, |F|_F <= sqrt(columns)
/// product_error.
[[nodiscard]] double space_error(const FromProducts& known, const KrylovSpace& space) noexcept;

/// An upper bound of |D|_F: of P G P the basis shows the part M, H without the rung's pairs y, and
/// the coupling C of what is left of it, each within e, so that
/// |D|_F^2 <= |P G P|_F^2 - (|M, sqrt(2) C|_F - e)^2.
[[nodiscard]] double remainder_from_products(const FromProducts& known, const KrylovSpace& space,
                                             Workspace& workspace);

/// As nothing_missed_outside, for c - e (Weyl) and |D|_F as above: no more than `kept` <= rung
/// eigenvalues of G lie above c.
[[nodiscard]] bool nothing_missed_by_products(double c, std::int64_t short_side, std::int64_t kept,
                                              const FromProducts& known, const KrylovSpace& space,
                                              Workspace& workspace);

/// The bound that the certificate of a set ending in theta_kept uses: theta_kept (1 + 1e-6), or one
/// rounding_floor above theta_kept where that is more (below it float64 cannot tell two values
/// apart).
[[nodiscard]] double certificate_bound(double last_kept, double floor) noexcept;

}  // namespace koine::lowrank
