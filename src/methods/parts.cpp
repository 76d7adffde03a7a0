#include "methods/parts.hpp"

#include <algorithm>
#include <utility>

#include "core/rules.hpp"
#include "lowrank/host_engine.hpp"
#include "methods/residual_strips.hpp"
#include "sparse/keep_largest.hpp"
#include "stats/sums.hpp"

namespace koine::methods {
namespace {

sparse::Threshold kth_largest(LowPart& low, std::int64_t k) {
  const auto tau = low.tau().flat();
  if (low.product() == nullptr)
    return sparse::kth_largest(tau, low.is_nothing() ? std::span<const float>{} : tau, k);
  ResidualStrips residual(low);
  return sparse::kth_largest(residual, k);
}

}  // namespace

lowrank::Factors factorise(MatrixView tau, const PruneParameters& parameters,
                           lowrank::Workspace& workspace, const lowrank::RungStore* store) {
  lowrank::HostEngine engine(tau, workspace, parameters.tau_squared);
  return lowrank::truncated_svd(engine, parameters.rank, parameters.svd, store);
}

LowPart low_rank_part(MatrixView tau, const PruneParameters& parameters,
                      lowrank::Workspace& workspace, stats::ExpertRow& row) {
  const std::int64_t full = std::min(tau.rows, tau.cols);
  const bool by_energy = parameters.rank.energy > 0;
  if (!by_energy && parameters.rank.number.kept == 0) {
    row.method = "none";
    row.is_certified = true;
    return LowPart::nothing(tau);
  }
  if (!by_energy && parameters.rank.number.kept >= full) {
    row.low_rank = full;
    row.low_squared = row.energy = stats::sum_of_squares(tau.flat());
    row.method = "full";
    row.is_certified = true;
    return LowPart::whole(tau);
  }
  lowrank::Factors factors = parameters.factorise ? parameters.factorise(tau, parameters, workspace)
                                                  : factorise(tau, parameters, workspace);
  note_factors(factors, row);
  return {tau, std::move(factors)};
}

stats::ExpertRow store_low_part(const Method& method, MatrixView tau,
                                const PruneParameters& parameters, std::span<float> low,
                                lowrank::Workspace& workspace) {
  stats::ExpertRow row;
  row.low_squared = method.low_part(tau, parameters, workspace, row).store(low);
  return row;
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

sparse::Threshold find_largest(LowPart& low, const PruneParameters& parameters,
                               stats::ExpertRow& row) {
  if (parameters.threshold) {
    row.kept = parameters.threshold->kept;
    row.threshold = static_cast<double>(rules::bits_as<float>(parameters.threshold->key));
    row.ties = parameters.threshold->ties;
    return *parameters.threshold;
  }
  const std::int64_t k = sparse::keep_count(low.tau().size(), parameters.density);
  const sparse::Threshold threshold = kth_largest(low, k);
  row.kept = threshold.kept;
  row.threshold = k == 0 ? 0 : static_cast<double>(threshold.magnitude());
  return threshold;
}

}  // namespace koine::methods
