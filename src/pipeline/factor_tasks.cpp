#include "pipeline/factor_tasks.hpp"

#include <algorithm>

#include "pipeline/owners.hpp"
#include "pipeline/shards.hpp"

namespace koine::pipeline {
namespace {

/// Enough for processes of many threads to end together.
constexpr std::size_t kTasksPerProcess = 64;
/// Reading twice and writing factors must be worth it.
constexpr double kGain = 0.9;

/// Reading and factorising the task vectors of experts [first, last).
FactorTask task_of(const Plan& plan, const Inputs& inputs, std::size_t tensor, std::size_t first,
                   std::size_t last) {
  const PlannedTensor& planned = plan.tensors[tensor];
  const auto& base = inputs.base.tensors[planned.index];
  FactorTask task{tensor, first, last, {}, 0};
  task.work.bytes_read = static_cast<double>(base.bytes());
  for (std::size_t t = first; t < last; ++t) {
    task.work += factor_work(planned.parts[t], base.shape);
    const DType dtype = inputs.experts[t].tensors[planned.index].dtype;
    task.work.bytes_read += static_cast<double>(base.count() * size_of(dtype));
    task.work.parts += static_cast<double>(base.count()) / 2;  // taken, not added
    task.work.bytes_written += static_cast<double>(factor_bytes(planned.parts[t], base.shape));
  }
  return task;
}

std::vector<FactorTask> cut(const Plan& plan, const Inputs& inputs) {
  std::size_t pairs = 0;
  for (const PlannedTensor& tensor : plan.tensors)
    pairs += tensor.factors == Work{} ? 0 : tensor.parts.size();
  const std::size_t wanted = kTasksPerProcess * static_cast<std::size_t>(plan.processes);
  const std::size_t together = std::max<std::size_t>(1, pairs / wanted);
  std::vector<FactorTask> tasks;
  for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
    if (plan.tensors[i].factors == Work{}) continue;
    const std::size_t experts = plan.tensors[i].parts.size();
    for (std::size_t first = 0; first < experts; first += together)
      tasks.push_back(task_of(plan, inputs, i, first, std::min(experts, first + together)));
  }
  return tasks;
}

void assign(std::vector<FactorTask>& tasks, const Plan& plan) {
  const int processes = plan.processes;
  double total = 0, before = 0;
  for (const FactorTask& task : tasks) total += seconds_of(task.work, plan.nominal);
  for (FactorTask& task : tasks) {
    const double seconds = seconds_of(task.work, plan.nominal);
    const auto at = static_cast<int>((before + seconds / 2) / total * processes);
    task.owner = std::min(at, processes - 1);
    before += seconds;
  }
}

std::int64_t bytes_of(const FactorTask& task) {
  return static_cast<std::int64_t>(task.work.bytes_read);
}

}  // namespace

void share_factors_if_sooner(Plan& plan, const Inputs& inputs) {
  if (plan.processes == 1) return;
  if (plan.nominal == gpu_rates()) return;  // a lone task vector does not fill a GPU: not measured
  const double apart = plan.seconds(1, plan.nominal);
  plan.shared = cut(plan, inputs);
  assign(plan.shared, plan);
  sum_up_work(plan);
  assign_owners(plan, plan.processes);
  if (plan.shared.empty() || plan.seconds(1, plan.nominal) > kGain * apart) {
    plan.shared.clear();
    sum_up_work(plan);
    assign_owners(plan, plan.processes);
    return;
  }
  std::vector<std::int64_t> bytes(plan.tensors.size(), 0);
  for (const FactorTask& task : plan.shared) bytes[task.tensor] += bytes_of(task);
  for (PlannedShard& shard : plan.shards) {
    for (const std::size_t i : shard.tensors) shard.bytes_shared += bytes[i];
    plan.bytes_in += shard.bytes_shared;
  }
}

std::vector<FactorTask> tasks_in(const Plan& plan, const std::vector<bool>& shards) {
  std::vector<bool> is_wanted(plan.tensors.size(), false);
  for (std::size_t index = 0; index < plan.shards.size(); ++index) {
    for (const std::size_t i : plan.shards[index].tensors) is_wanted[i] = shards[index];
  }
  std::vector<FactorTask> tasks;
  std::ranges::copy_if(plan.shared, std::back_inserter(tasks),
                       [&](const FactorTask& task) { return is_wanted[task.tensor]; });
  assign(tasks, plan);
  return tasks;
}

}  // namespace koine::pipeline
