#include "methods/on_device.hpp"

#include <algorithm>

#include "core/rules.hpp"
#include "methods/parts.hpp"

namespace koine::methods {
namespace {

using backend::cuda::LowPart;

void take_low_rank(const PruneParameters& parameters, DevicePart& part, stats::ExpertRow& row) {
  const std::int64_t full = std::min(part.lane.rows(), part.lane.cols());
  const bool by_energy = parameters.rank.energy > 0;
  row.is_certified = true;
  if (!by_energy && parameters.rank.number.kept == 0) {
    row.low_squared = part.lane.begin_m(part.slot, LowPart::zero);
    row.method = "none";
  } else if (!by_energy && parameters.rank.number.kept >= full) {
    row.low_squared = row.energy = part.lane.begin_m(part.slot, LowPart::whole);
    row.low_rank = full;
    row.method = "full";
  } else {
    const lowrank::Factors factors = part.factorise();
    const backend::cuda::FactorArrays arrays{factors.u.data(), factors.b.data(), factors.kept};
    row.low_squared =
        part.lane.begin_m(part.slot, factors.kept == 0 ? LowPart::zero : LowPart::product, &arrays);
    note_factors(factors, row);
  }
}

void take_largest(const PruneParameters& parameters, DevicePart& part, stats::ExpertRow& row) {
  if (parameters.threshold) {
    const sparse::Threshold& given = *parameters.threshold;
    row.kept = given.kept == 0 ? 0 : part.lane.take_kept(part.slot, {given.key, given.ties});
    row.threshold = static_cast<double>(rules::bits_as<float>(given.key));
    row.ties = given.ties;
    return;
  }
  const std::int64_t k =
      sparse::keep_count(part.lane.rows() * part.lane.cols(), parameters.density);
  if (k == 0) return;
  const backend::cuda::Threshold found = part.lane.kth_largest(part.slot, k);
  row.kept = part.lane.take_kept(part.slot, found);
  row.threshold = static_cast<double>(rules::bits_as<float>(found.key));
}

}  // namespace

stats::ExpertRow prune_on_device(const Method& method, const PruneParameters& parameters,
                                 DevicePart& part) {
  stats::ExpertRow row;
  PruneParameters own = parameters;
  if (!method.keeps_low_rank()) own.rank = {};
  take_low_rank(own, part, row);
  if (method.keeps_largest()) take_largest(parameters, part, row);
  return row;
}

}  // namespace koine::methods
