#pragma once

#include <optional>

#include "lowrank/engine.hpp"
#include "lowrank/gram.hpp"

namespace koine::lowrank {

/// A task vector in host memory, on the CPU. Keeps references.
class HostEngine final : public Engine {
 public:
  /// `tau_squared`: as backend::sum_of_squares adds it up; made here where it is not known.
  HostEngine(MatrixView tau, Workspace& workspace, std::optional<double> tau_squared = {});

  [[nodiscard]] double tau_squared() const override { return tau_squared_; }
  [[nodiscard]] std::vector<Solver> solvers(std::int64_t rung,
                                            const SvdOptions& options) const override;
  [[nodiscard]] bool find_pairs(Solver solver, std::int64_t rung, double tolerance) override;
  [[nodiscard]] const double* values() const override { return workspace_.values.data(); }
  [[nodiscard]] std::int64_t blocks() const override;
  [[nodiscard]] double residual(std::int64_t kept) override;
  [[nodiscard]] double orthogonality_defect(std::int64_t kept) override;
  [[nodiscard]] bool nothing_outside(double c, std::int64_t kept) override;
  [[nodiscard]] bool nothing_above(double c, std::int64_t kept) override;
  void take_factors(std::int64_t rung, std::int64_t width, RungAnswer& answer) override;

 private:
  /// What workspace.gram holds.
  enum class Gram : std::uint8_t { none, float32, float64 };
  void judge(std::int64_t rung, std::int64_t count);
  void make_gram(Gram wanted);
  [[nodiscard]] double bound_for_count(double c, std::int64_t kept);

  ShortSideFirst side_;
  Workspace& workspace_;
  double tau_squared_;
  Gram gram_ = Gram::none;
  bool has_integers_ = false;       ///< workspace.coarse.gram is K
  Solver solver_ = Solver::dgesdd;  ///< whose pairs are there
  std::int64_t rung_ = 0;           ///< that they are of
};

}  // namespace koine::lowrank
