#include "pipeline/share_factors.hpp"

#include "core/stop.hpp"
#include "core/thread_pool.hpp"
#include "pipeline/factor_tasks.hpp"
#include "pipeline/kept_factors.hpp"
#include "pipeline/tensor_reader.hpp"

namespace koine::pipeline {
namespace {

void find_factors(const FactorTask& task, const Plan& plan, const MergeContext& context,
                  Scratch& scratch) {
  const PlannedTensor& planned = plan.tensors[task.tensor];
  TensorReader reader(planned, context, scratch);
  const std::int64_t count = reader.base().count();
  reader.read_base(0, count);
  const auto tau = scratch.tau.take(count);
  for (std::size_t t = task.first; t < task.last; ++t) {
    throw_if_stopped();
    if (!needs_factors(planned.parts[t], reader.base().shape)) continue;
    if (!reader.read_task_vector(t, tau).is_finite) continue;  // merged without factors
    const StageTimer timer(context.progress, Stage::prune);
    const MatrixView matrix{tau.data(), reader.base().shape[0], reader.base().shape[1]};
    const auto parameters = prune_parameters(planned, t, context, reader);
    (void)parameters.factorise(matrix, parameters, scratch.svd);
  }
}

}  // namespace

void share_factors(const Plan& plan, const std::vector<bool>& shards, const MergeContext& context,
                   std::span<Scratch> scratch, comm::Communicator& processes) {
  if (plan.shared.empty() || context.factors == nullptr) return;
  std::vector<FactorTask> mine = tasks_in(plan, shards);
  std::erase_if(mine, [&](const FactorTask& task) { return task.owner != processes.rank().value; });
  parallel_for(static_cast<std::int64_t>(mine.size()), static_cast<int>(scratch.size()),
               [&](std::int64_t i, int thread) {
                 find_factors(mine[static_cast<std::size_t>(i)], plan, context,
                              scratch[static_cast<std::size_t>(thread)]);
               });
  context.progress.has_all_factors = true;
  processes.barrier();
}

}  // namespace koine::pipeline
