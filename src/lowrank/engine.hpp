#pragma once

#include <cstdint>
#include <vector>

#include "lowrank/eigen.hpp"
#include "lowrank/rung.hpp"

namespace koine::lowrank {

/// One task vector where it lies, in host memory or on a device, and the solvers that find its
/// singular triplets there. A solver's pairs stay until the next one's.
class Engine {
 public:
  Engine(std::int64_t rows, std::int64_t cols) : rows_(rows), cols_(cols) {}
  virtual ~Engine() = default;

  [[nodiscard]] std::int64_t rows() const noexcept { return rows_; }
  [[nodiscard]] std::int64_t cols() const noexcept { return cols_; }
  [[nodiscard]] std::int64_t short_side() const noexcept { return rows_ < cols_ ? rows_ : cols_; }
  [[nodiscard]] std::int64_t long_side() const noexcept { return rows_ < cols_ ? cols_ : rows_; }
  [[nodiscard]] virtual double tau_squared() const = 0;  ///< |tau|_F^2

  /// From the cheapest for this shape, rung and mode to the one that never fails.
  [[nodiscard]] virtual std::vector<Solver> solvers(std::int64_t rung,
                                                    const SvdOptions& options) const = 0;

  /// min(rung + 1, short) largest eigenpairs of G = A A^T, right to `tolerance` at least
  /// (SvdOptions). False where the solver did not converge.
  [[nodiscard]] virtual bool find_pairs(Solver solver, std::int64_t rung, double tolerance) = 0;
  /// theta_i of the pairs, descending.
  [[nodiscard]] virtual const double* values() const = 0;
  [[nodiscard]] virtual std::int64_t blocks()
      const = 0;  ///< of the Krylov bases; 0: none was built

  /// max |G u - theta u| / theta_1 and max |U^T U - I| over the first `kept` pairs.
  [[nodiscard]] virtual double residual(std::int64_t kept) = 0;
  [[nodiscard]] virtual double orthogonality_defect(std::int64_t kept) = 0;

  /// Whether no eigenvalue of G above c lies outside the first `kept` pairs, shown from the Krylov
  /// space (false where there is none) and by a factorisation of all of G (certificate.hpp). Where
  /// these are of G + E, c counts |E|_2 less (Weyl).
  [[nodiscard]] virtual bool nothing_outside(double c, std::int64_t kept) = 0;
  [[nodiscard]] virtual bool nothing_above(double c, std::int64_t kept) = 0;

  /// answer.u, answer.b <- U and B = U^T A of the first `width` pairs of the rung, each rounded
  /// once.
  virtual void take_factors(std::int64_t rung, std::int64_t width, RungAnswer& answer) = 0;

 private:
  std::int64_t rows_, cols_;
};

}  // namespace koine::lowrank
