#include "pipeline/device_plan.hpp"

#include <algorithm>

#include "lowrank/krylov.hpp"

namespace koine::pipeline {
namespace {

constexpr std::int64_t kHighestRung = 128;  // that an energy target is likely to need

backend::MatrixNeed need_of(const PlannedTensor& planned, const Inputs& inputs) {
  const checkpoint::TensorInfo& tensor = inputs.base.tensors[planned.index];
  backend::MatrixNeed need{tensor.shape[0], tensor.shape[1]};
  std::int64_t expert_width = 0;
  for (const Expert& expert : inputs.experts)
    expert_width = std::max(expert_width, size_of(expert.tensors[planned.index].dtype));
  need.stored = size_of(tensor.dtype) + expert_width + size_of(planned.out_dtype);
  const std::int64_t full = std::min(need.rows, need.cols);
  std::int64_t rung = 0;
  for (std::size_t t = 0; t < planned.parts.size(); ++t) {
    const lowrank::RankTarget& rank = planned.parts[t].prune.rank;
    const std::int64_t kept = rank.energy > 0 ? std::min(kHighestRung, full) : rank.number.kept;
    if (kept > 0 && kept <= full) rung = std::max(rung, lowrank::rung_of(kept, full));
  }
  need.pairs = rung + 1;
  if (lowrank::prefers_krylov(full, rung)) need.basis = lowrank::basis_limit(full, rung + 1);
  return need;
}

}  // namespace

backend::LanePlan plan_device(const Plan& plan, const Inputs& inputs, const backend::Gpu& gpu,
                              int threads) {
  const auto bytes = [&](int slots) {
    std::int64_t most = 1;
    for (const PlannedTensor& planned : plan.tensors) {
      if (planned.treatment == Treatment::pruned)
        most = std::max(most, backend::lane_bytes(need_of(planned, inputs), slots));
    }
    return most;
  };
  return backend::plan_lanes(bytes, {gpu.device.memory, gpu.device.free, gpu.processes}, threads);
}

DeviceOfMerge::DeviceOfMerge(const backend::Gpu* gpu, const Plan& plan, const Inputs& inputs,
                             int threads) {
  if (gpu == nullptr) return;
  const backend::LanePlan lanes = plan_device(plan, inputs, *gpu, threads);
  arithmetic_ = {gpu->device.name, gpu->versions, lanes.slots};
  lanes_.emplace(*gpu, lanes);
}

}  // namespace koine::pipeline
