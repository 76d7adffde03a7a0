#include "lowrank/device_engine.hpp"

#include <algorithm>

#include "core/rules.hpp"
#include "lowrank/certificate.hpp"
#include "lowrank/krylov.hpp"
#include "lowrank/start_block.hpp"

namespace koine::lowrank {
namespace {

constexpr double kKrylovTarget = 1e-8;  // as the host's first: no SVD in float32 is better

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

}  // namespace

const backend::cuda::KrylovAnswer& DeviceBatch::krylov(std::int64_t count, int slot) {
  const auto at = as_size(slot);
  if (count == count_ && !is_replaced_[at]) return answers_[at];
  const std::int64_t m = std::min(lane_.rows(), lane_.cols());
  std::vector<double> start(as_size(m * (count - 1)));
  fill_start_block(start);
  answers_.resize(as_size(lane_.slots()));
  count_ = proved_ = 0;
  lane_.krylov({count, basis_limit(m, count), kKrylovTarget, start.data()}, answers_);
  is_replaced_.assign(answers_.size(), false);
  count_ = count;
  return answers_[at];
}

bool DeviceBatch::dense_pairs(int slot, backend::cuda::DenseSolver solver,
                              std::span<double> values) {
  if (count_ > 0) is_replaced_[as_size(slot)] = true;
  proved_ = 0;
  return lane_.dense_pairs(slot, solver, values);
}

bool DeviceBatch::is_definite(int slot, std::int64_t kept, double c) {
  const auto at = as_size(slot);
  if (proved_ == kept && bounds_[at] == c) return is_definite_[at];
  const std::int64_t m = std::min(lane_.rows(), lane_.cols());
  bounds_.assign(as_size(lane_.slots()), 0);
  for (std::size_t s = 0; s < answers_.size() && kept < count_; ++s) {
    if (answers_[s].has_converged == 0 || is_replaced_[s]) continue;
    const double* values = answers_[s].values;
    bounds_[s] = certificate_bound(values[kept - 1], rounding_floor(m, values[0]));
  }
  bounds_[at] = c;
  proved_ = kept;
  is_definite_ = lane_.are_definite(kept, bounds_);
  return is_definite_[at];
}

DeviceEngine::DeviceEngine(DeviceBatch& batch, int slot, double tau_squared, Workspace& workspace)
    : Engine(batch.lane().rows(), batch.lane().cols()),
      batch_(batch),
      slot_(slot),
      tau_squared_(tau_squared),
      workspace_(workspace) {}

std::vector<Solver> DeviceEngine::solvers(std::int64_t rung, const SvdOptions& options) const {
  std::vector<Solver> all;
  if (options.mode != Mode::exact && prefers_krylov(short_side(), rung))
    all.push_back(Solver::cuda_krylov);
  all.insert(all.end(),
             {Solver::cuda_syevd, Solver::cuda_gesvdp, Solver::cuda_gesvdj, Solver::dgesdd});
  return all;
}

bool DeviceEngine::find_pairs(Solver solver, std::int64_t rung) {
  host_.reset();
  blocks_ = judged_ = 0;
  const std::int64_t count = std::min(rung + 1, short_side());
  if (solver == Solver::cuda_krylov) return find_krylov_pairs(count);
  if (!is_on_device(solver)) return find_on_host(solver, rung);
  double* values = workspace_.values.reserve(as_size(short_side()));
  using backend::cuda::DenseSolver;
  const DenseSolver dense = solver == Solver::cuda_syevd    ? DenseSolver::syevd
                            : solver == Solver::cuda_gesvdp ? DenseSolver::gesvdp
                                                            : DenseSolver::gesvdj;
  return batch_.dense_pairs(slot_, dense, {values, as_size(count)});
}

/// The slot's share of the batch's answer; its space goes where the certificate looks for one.
bool DeviceEngine::find_krylov_pairs(std::int64_t count) {
  const backend::cuda::KrylovAnswer& found = batch_.krylov(count, slot_);
  if (found.has_converged == 0) return false;
  const std::int64_t k = found.columns, width = count - 1;
  blocks_ = found.blocks;
  gram_squared_ = found.gram_squared;
  std::copy_n(found.values, count, workspace_.values.reserve(as_size(short_side())));
  KrylovSpace& space = workspace_.krylov;
  space.blocks = found.blocks;
  space.columns = space.lead = k;
  space.last_width = space.coupling_rows = width;
  std::copy_n(found.projection, k * k, space.projection.reserve(as_size(k * k)));
  std::copy_n(found.coupling, width * width, space.coupling.reserve(as_size(width * width)));
  std::copy_n(found.ritz, k * count, space.ritz.reserve(as_size(k * count)));
  return true;
}

bool DeviceEngine::find_on_host(Solver solver, std::int64_t rung) {
  tau_.resize(as_size(rows() * cols()));
  batch_.lane().fetch_task_vector(slot_, tau_);
  host_ = std::make_unique<HostEngine>(MatrixView{tau_.data(), rows(), cols()}, workspace_);
  return host_->find_pairs(solver, rung);
}

const double* DeviceEngine::values() const {
  return workspace_.values.data();
}

const backend::DeviceLane::Judgement& DeviceEngine::judged(std::int64_t kept) {
  if (judged_ != kept) judgement_ = batch_.lane().judge(slot_, kept);
  judged_ = kept;
  return judgement_;
}

double DeviceEngine::residual(std::int64_t kept) {
  return host_ ? host_->residual(kept) : judged(kept).residual;
}

double DeviceEngine::orthogonality_defect(std::int64_t kept) {
  return host_ ? host_->orthogonality_defect(kept) : judged(kept).defect;
}

bool DeviceEngine::nothing_outside(double c, std::int64_t kept) {
  if (host_ || blocks_ == 0) return false;
  return nothing_missed_outside(c, short_side(), kept, workspace_, &gram_squared_);
}

bool DeviceEngine::nothing_above(double c, std::int64_t kept) {
  return host_ ? host_->nothing_above(c, kept) : batch_.is_definite(slot_, kept, c);
}

void DeviceEngine::take_factors(std::int64_t rung, std::int64_t width, RungAnswer& answer) {
  if (host_) return host_->take_factors(rung, width, answer);
  const std::int64_t m = short_side(), n = long_side();
  std::vector<double> vectors(as_size(m * rung));
  answer.u.resize(as_size(m * width));
  answer.b.resize(as_size(n * width));
  batch_.lane().factors(slot_, vectors, answer.b);
  for (std::int64_t k = 0; k < width; ++k) {
    const double* vector = vectors.data() + k * m;
    const bool is_turned = first_largest_is_negative(vector, m);
    for (std::int64_t i = 0; i < m; ++i)
      answer.u[as_size(i * width + k)] = rules::round_f32(is_turned ? -vector[i] : vector[i]);
    if (!is_turned) continue;
    for (std::int64_t j = k * n; j < (k + 1) * n; ++j) answer.b[as_size(j)] = -answer.b[as_size(j)];
  }
}

}  // namespace koine::lowrank
