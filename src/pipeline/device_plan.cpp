#include "pipeline/device_plan.hpp"

#include <algorithm>

#include "comm/agree.hpp"
#include "core/error.hpp"
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
  need.stored = {size_of(tensor.dtype), expert_width, size_of(planned.out_dtype)};
  need.experts = static_cast<std::int64_t>(inputs.experts.size());
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
  std::vector<backend::MatrixNeed> needs;
  for (const PlannedTensor& planned : plan.tensors) {
    if (planned.treatment == Treatment::pruned) needs.push_back(need_of(planned, inputs));
  }
  const backend::cuda::Gram gram = backend::gram_of(gpu.device);
  const auto bytes = [&](int slots) { return backend::lane_bytes(needs, slots, gram); };
  return backend::plan_lanes(bytes, {gpu.device.memory, gpu.device.free, gpu.processes}, threads);
}

DeviceOfMerge::DeviceOfMerge(const Wish& wish, const Plan& plan, const Inputs& inputs, int threads,
                             comm::Communicator& processes) {
  if (wish.gpu == nullptr) return;
  backend::LanePlan lanes;
  std::string complaint;
  try {
    lanes = plan_device(plan, inputs, *wish.gpu, threads);
  } catch (const DeviceError& error) {
    complaint = error.what();
  }
  complaint = comm::first_complaint(processes, complaint);
  if (!complaint.empty() && wish.is_must) throw DeviceError(complaint);
  if (!complaint.empty()) {
    notes_.push_back("on the CPU: " + complaint);
    return;
  }
  arithmetic_ = {wish.gpu->device.name, wish.gpu->versions, lanes.slots};
  lanes_.emplace(*wish.gpu, lanes);
}

}  // namespace koine::pipeline
