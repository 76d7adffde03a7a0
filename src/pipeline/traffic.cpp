#include "pipeline/traffic.hpp"

namespace koine::pipeline {

std::vector<Traffic> traffic_of(const Plan& plan) {
  std::vector<Traffic> all(static_cast<std::size_t>(plan.processes));
  for (const FactorTask& task : plan.shared) {
    Traffic& its = all[static_cast<std::size_t>(task.owner)];
    its.read += static_cast<std::int64_t>(task.work.bytes_read);
    its.written += static_cast<std::int64_t>(task.work.bytes_written);
  }
  for (const PlannedShard& shard : plan.shards) {
    Traffic& its = all[static_cast<std::size_t>(shard.owner)];
    ++its.shards;
    its.read += shard.bytes_in + shard.bytes_out;
    its.read_back += shard.bytes_out;
    its.written += shard.bytes_out;
    if (plan.shared.empty()) continue;
    for (const std::size_t i : shard.tensors) its.read += plan.tensors[i].bytes_factors;
  }
  return all;
}

}  // namespace koine::pipeline
