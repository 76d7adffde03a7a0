#include "methods/parts.hpp"

#include <algorithm>

#include "core/rules.hpp"
#include "lowrank/host_engine.hpp"
#include "lowrank/product.hpp"
#include "sparse/keep_largest.hpp"
#include "stats/sums.hpp"

namespace koine::methods {

lowrank::Factors factorise(MatrixView tau, const PruneParameters& parameters,
                           lowrank::Workspace& workspace, const lowrank::RungStore* store) {
  lowrank::HostEngine engine(tau, workspace, parameters.tau_squared);
  return lowrank::truncated_svd(engine, parameters.rank, parameters.svd, store);
}

void take_low_rank(MatrixView tau, const PruneParameters& parameters, std::span<float> low,
                   lowrank::Workspace& workspace, stats::ExpertRow& row) {
  const std::int64_t full = std::min(tau.rows, tau.cols);
  const bool by_energy = parameters.rank.energy > 0;
  if (!by_energy && parameters.rank.number.kept == 0) {
    std::fill(low.begin(), low.end(), 0.0F);
    row.method = "none";
    row.is_certified = true;
    return;
  }
  if (!by_energy && parameters.rank.number.kept >= full) {
    std::copy(tau.flat().begin(), tau.flat().end(), low.begin());
    row.low_rank = full;
    row.low_squared = row.energy = stats::sum_of_squares(tau.flat());
    row.method = "full";
    row.is_certified = true;
    return;
  }
  const lowrank::Factors factors = parameters.factorise
                                       ? parameters.factorise(tau, parameters, workspace)
                                       : factorise(tau, parameters, workspace);
  row.low_squared = lowrank::product(factors, low);
  note_factors(factors, row);
}

void note_factors(const lowrank::Factors& factors, stats::ExpertRow& row) {
  row.low_rank = factors.kept;
  row.energy = factors.energy;
  row.residual = factors.residual;
  row.gap = factors.gap;
  row.sigma_first = factors.sigma.empty() ? 0 : factors.sigma.front();
  row.sigma_last =
      factors.kept == 0 ? 0 : factors.sigma[static_cast<std::size_t>(factors.kept) - 1];
  row.is_certified = factors.certified;
  row.certificate = factors.certificate;
  row.iterations = factors.iterations;
  row.fallbacks = factors.fallbacks;
  row.method = factors.method;
}

sparse::Threshold find_largest(MatrixView tau, std::span<const float> low,
                               const PruneParameters& parameters, stats::ExpertRow& row) {
  if (parameters.threshold) {
    row.kept = parameters.threshold->kept;
    row.threshold = static_cast<double>(rules::bits_as<float>(parameters.threshold->key));
    row.ties = parameters.threshold->ties;
    return *parameters.threshold;
  }
  const std::int64_t k = sparse::keep_count(tau.size(), parameters.density);
  const sparse::Threshold threshold = sparse::kth_largest(tau.flat(), low, k);
  row.kept = threshold.kept;
  row.threshold = k == 0 ? 0 : static_cast<double>(threshold.magnitude());
  return threshold;
}

}  // namespace koine::methods
