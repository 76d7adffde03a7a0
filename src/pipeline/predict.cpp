#include "pipeline/predict.hpp"

#include <algorithm>

#include "pipeline/traffic.hpp"

namespace koine::pipeline {
namespace {

double ratio(double bytes, double rate) {
  return rate > 0 ? bytes / rate : 0;
}

double all_seconds(const Plan& plan, const Rates& rates) {
  double seconds = 0;
  for (const FactorTask& task : plan.shared) seconds += seconds_of(task.work, rates);
  for (const PlannedShard& shard : plan.shards) seconds += seconds_of(shard.work, rates);
  return seconds;
}

}  // namespace

Prediction predict(const Plan& plan, const MachineRates& machine, const Layout& layout) {
  const int threads = machine.has_gpus ? 1 : layout.threads;
  const int room = std::max(1, machine.most_workers / threads);
  const int together = std::min(plan.processes, layout.per_machine > 0 ? layout.per_machine : room);
  const Rates rates = machine.of(together * threads);
  const double slowest = plan.seconds(1, rates);
  Prediction expected;
  expected.seconds = slowest / threads;
  if (slowest > 0) expected.balance = all_seconds(plan, rates) / (slowest * plan.processes);
  double read = 0, written = 0;
  for (const Traffic& its : traffic_of(plan)) {
    read += static_cast<double>(its.read - its.read_back);
    written += static_cast<double>(its.written);
  }
  const double storage = ratio(read, machine.storage_read) + ratio(written, machine.storage_write);
  expected.waits_for_storage = storage > expected.seconds;
  expected.seconds = std::max(expected.seconds, storage);
  expected.hours = expected.seconds * plan.processes * threads / 3600;
  expected.read_rate = ratio(read, expected.seconds);
  expected.write_rate = ratio(written, expected.seconds);
  return expected;
}

}  // namespace koine::pipeline
