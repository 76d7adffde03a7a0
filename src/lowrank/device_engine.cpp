#include "lowrank/device_engine.hpp"

#include <algorithm>
#include <cmath>

#include "core/rules.hpp"
#include "lowrank/certificate.hpp"
#include "lowrank/gram32.hpp"
#include "lowrank/krylov.hpp"
#include "lowrank/start_block.hpp"

namespace koine::lowrank {
namespace {

using backend::cuda::Gram;
using backend::cuda::PairsOf;
using backend::cuda::SomePairs;

constexpr double kKrylovTarget = 1e-8;  // as the host's first: no SVD in float32 is better

static_assert(backend::cuda::kFloat32Chain == kGramChain);

/// What a term of G may lose where a device takes factors, products and sums below float32's normal
/// range for zero.
double flushed(double tau_squared) {
  return 0x1p-124 * (1 + std::sqrt(tau_squared));
}

double float32_error(std::int64_t entries, double tau_squared) {
  return float32_gram_error(entries, tau_squared, flushed(tau_squared));
}

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

}  // namespace

const backend::cuda::KrylovAnswer& DeviceBatch::krylov(Gram gram, std::int64_t count, int slot) {
  Found& found = found_[static_cast<std::size_t>(gram)];
  if (count == found.count) return found.answers[as_size(slot)];
  const std::int64_t m = std::min(lane_.rows(), lane_.cols());
  std::vector<double> start(as_size(m * (count - 1)));
  fill_start_block(start);
  found.answers.resize(as_size(lane_.slots()));
  found.count = found.proved = 0;
  found.errors.assign(found.answers.size(), 0);
  if (gram == Gram::float32) {
    std::ranges::transform(lane_.facts().task_vectors, found.errors.begin(), [&](const auto& tau) {
      return float32_error(lane_.rows() * lane_.cols(), tau.squared);
    });
  }
  lane_.krylov({gram, count, basis_limit(m, count), kKrylovTarget, start.data()}, found.answers);
  found.count = count;
  return found.answers[as_size(slot)];
}

bool DeviceBatch::is_definite(int slot, SomePairs some, double c) {
  const auto at = as_size(slot);
  std::vector<double> bounds(as_size(lane_.slots()));
  bounds[at] = c;
  if (some.of == PairsOf::dense) return lane_.are_definite(some, bounds)[at];
  Found& found = found_[static_cast<std::size_t>(some.of == PairsOf::gram_float32 ? Gram::float32
                                                                                  : Gram::float64)];
  if (found.proved == some.kept && found.bounds[at] == c) return found.is_definite[at];
  const std::int64_t m = std::min(lane_.rows(), lane_.cols());
  for (std::size_t s = 0; s < bounds.size() && some.kept < found.count; ++s) {
    if (s == at || found.answers[s].has_converged == 0) continue;
    const double* values = found.answers[s].values;
    bounds[s] =
        certificate_bound(values[some.kept - 1], rounding_floor(m, values[0])) - found.errors[s];
  }
  found.proved = some.kept;
  found.bounds = bounds;
  found.is_definite = lane_.are_definite(some, bounds);
  return found.is_definite[at];
}

DeviceEngine::DeviceEngine(DeviceBatch& batch, int slot, double tau_squared, Workspace& workspace)
    : Engine(batch.lane().rows(), batch.lane().cols()),
      batch_(batch),
      slot_(slot),
      tau_squared_(tau_squared),
      workspace_(workspace) {}

std::vector<Solver> DeviceEngine::solvers(std::int64_t rung, const SvdOptions& options) const {
  std::vector<Solver> all;
  const bool float32_will_do =
      batch_.lane().gram() == Gram::float32 && options.tolerance >= kFloat32Tolerance &&
      squares_fit_float32(rows() * cols(), tau_squared_, flushed(tau_squared_));
  if (options.mode != Mode::exact && prefers_krylov(short_side(), rung)) {
    if (float32_will_do) all.push_back(Solver::cuda_krylov_gram32);
    all.push_back(Solver::cuda_krylov);
  }
  all.insert(all.end(),
             {Solver::cuda_syevd, Solver::cuda_gesvdp, Solver::cuda_gesvdj, Solver::dgesdd});
  return all;
}

bool DeviceEngine::find_pairs(Solver solver, std::int64_t rung, double tolerance) {
  host_.reset();
  blocks_ = judged_ = 0;
  const std::int64_t count = std::min(rung + 1, short_side());
  if (solver == Solver::cuda_krylov_gram32) return find_krylov_pairs(Gram::float32, count);
  if (solver == Solver::cuda_krylov) return find_krylov_pairs(Gram::float64, count);
  if (!is_on_device(solver)) return find_on_host(solver, rung, tolerance);
  double* values = workspace_.values.reserve(as_size(short_side()));
  using backend::cuda::DenseSolver;
  const DenseSolver dense = solver == Solver::cuda_syevd    ? DenseSolver::syevd
                            : solver == Solver::cuda_gesvdp ? DenseSolver::gesvdp
                                                            : DenseSolver::gesvdj;
  pairs_ = PairsOf::dense;
  return batch_.lane().dense_pairs(slot_, dense, {values, as_size(count)});
}

/// The slot's share of the batch's answer; its space goes where the certificate looks for one.
bool DeviceEngine::find_krylov_pairs(Gram gram, std::int64_t count) {
  const backend::cuda::KrylovAnswer& found = batch_.krylov(gram, count, slot_);
  pairs_ = backend::cuda::pairs_of(gram);
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
  space.pairs = count;
  std::copy_n(found.values, count, space.ritz_values.reserve(as_size(count)));
  return true;
}

bool DeviceEngine::find_on_host(Solver solver, std::int64_t rung, double tolerance) {
  tau_.resize(as_size(rows() * cols()));
  batch_.lane().fetch_task_vector(slot_, tau_);
  host_ = std::make_unique<HostEngine>(MatrixView{tau_.data(), rows(), cols()}, workspace_);
  return host_->find_pairs(solver, rung, tolerance);
}

const double* DeviceEngine::values() const {
  return workspace_.values.data();
}

const backend::DeviceLane::Judgement& DeviceEngine::judged(std::int64_t kept) {
  if (judged_ != kept) judgement_ = batch_.lane().judge(slot_, {pairs_, kept});
  judged_ = kept;
  return judgement_;
}

/// An upper bound of |E|_2 where the pairs are those of G + E.
double DeviceEngine::gram_error() const {
  if (pairs_ != PairsOf::gram_float32) return 0;
  return float32_error(rows() * cols(), tau_squared_);
}

double DeviceEngine::residual(std::int64_t kept) {
  return host_ ? host_->residual(kept) : judged(kept).residual;
}

double DeviceEngine::orthogonality_defect(std::int64_t kept) {
  return host_ ? host_->orthogonality_defect(kept) : judged(kept).defect;
}

bool DeviceEngine::nothing_outside(double c, std::int64_t kept) {
  if (host_ || blocks_ == 0) return false;
  return nothing_missed_outside(c - gram_error(), short_side(), kept, workspace_, &gram_squared_);
}

bool DeviceEngine::nothing_above(double c, std::int64_t kept) {
  if (host_) return host_->nothing_above(c, kept);
  c -= gram_error();
  return c > 0 && batch_.is_definite(slot_, {pairs_, kept}, c);
}

void DeviceEngine::take_factors(std::int64_t rung, std::int64_t width, RungAnswer& answer) {
  if (host_) return host_->take_factors(rung, width, answer);
  const std::int64_t m = short_side(), n = long_side();
  std::vector<double> vectors(as_size(m * rung));
  answer.u.resize(as_size(m * width));
  answer.b.resize(as_size(n * width));
  batch_.lane().factors(slot_, pairs_, vectors, answer.b);
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
