#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "backend/device_lane.hpp"
#include "lowrank/engine.hpp"
#include "lowrank/host_engine.hpp"

namespace koine::lowrank {

/// The task vectors in a lane's slots, and what the Krylov solver said of all of them at once, once
/// for G in float64 and once for G in float32: so that what a slot gets depends on no other. The
/// lane is the caller's.
class DeviceBatch {
 public:
  explicit DeviceBatch(backend::DeviceLane& lane) : lane_(lane) {}
  [[nodiscard]] backend::DeviceLane& lane() const noexcept { return lane_; }

  /// A slot's answer for `count` pairs of this G. All slots are solved at once: the others find
  /// theirs here, for as long as they ask for as many.  @throws DeviceError
  [[nodiscard]] const backend::cuda::KrylovAnswer& krylov(backend::cuda::Gram gram,
                                                          std::int64_t count, int slot);
  /// Whether no eigenvalue above c of the G that they are of lies outside these pairs of the slot.
  /// The other slots are asked what they are likely to be asked next, at once.
  /// @throws DeviceError
  [[nodiscard]] bool is_definite(int slot, backend::cuda::SomePairs some, double c);

 private:
  struct Found {
    std::int64_t count = 0;  ///< pairs of the answers that are there
    std::vector<backend::cuda::KrylovAnswer> answers;
    std::int64_t proved = 0;     ///< pairs that the proofs are of
    std::vector<double> bounds;  ///< by slot: their c; 0: none
    std::vector<double> errors;  ///< by slot: upper bounds of |E|_2 where G is summed in float32
    std::vector<bool> is_definite;
  };
  backend::DeviceLane& lane_;
  std::array<Found, 2> found_;  ///< by Gram
};

/// A task vector in a slot of a lane, on the GPU: block Krylov on G (in float32 first where the
/// device is slow in float64), then all eigenpairs of G, then the SVD of A in two ways, then the
/// host's. Keeps references.
class DeviceEngine final : public Engine {
 public:
  DeviceEngine(DeviceBatch& batch, int slot, double tau_squared, Workspace& workspace);

  [[nodiscard]] double tau_squared() const override { return tau_squared_; }
  [[nodiscard]] std::vector<Solver> solvers(std::int64_t rung,
                                            const SvdOptions& options) const override;
  [[nodiscard]] bool find_pairs(Solver solver, std::int64_t rung, double tolerance) override;
  [[nodiscard]] const double* values() const override;
  [[nodiscard]] std::int64_t blocks() const override { return host_ ? host_->blocks() : blocks_; }
  [[nodiscard]] double residual(std::int64_t kept) override;
  [[nodiscard]] double orthogonality_defect(std::int64_t kept) override;
  [[nodiscard]] bool nothing_outside(double c, std::int64_t kept) override;
  [[nodiscard]] bool nothing_above(double c, std::int64_t kept) override;
  void take_factors(std::int64_t rung, std::int64_t width, RungAnswer& answer) override;

 private:
  bool find_krylov_pairs(backend::cuda::Gram gram, std::int64_t count);
  bool find_on_host(Solver solver, std::int64_t rung, double tolerance);
  [[nodiscard]] double gram_error() const;
  const backend::DeviceLane::Judgement& judged(std::int64_t kept);

  DeviceBatch& batch_;
  int slot_;
  double tau_squared_;
  Workspace& workspace_;
  backend::cuda::PairsOf pairs_ = backend::cuda::PairsOf::dense;  ///< that were found last
  std::int64_t blocks_ = 0;
  double gram_squared_ = 0;  ///< |G|_F^2, of a Krylov space
  backend::DeviceLane::Judgement judgement_;
  std::int64_t judged_ = 0;           ///< pairs that it is of; 0: none yet
  std::vector<float> tau_;            ///< for the host's solver
  std::unique_ptr<HostEngine> host_;  ///< whose pairs are there; null: the device's
};

}  // namespace koine::lowrank
