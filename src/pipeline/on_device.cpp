#include "pipeline/on_device.hpp"

#include <algorithm>

#include "core/stop.hpp"
#include "lowrank/device_engine.hpp"
#include "methods/on_device.hpp"
#include "pipeline/kept_factors.hpp"
#include "pipeline/model_budget.hpp"
#include "pipeline/tensor_reader.hpp"

namespace koine::pipeline {
namespace {

using backend::DeviceLane;

bool is_for_device(const PlannedTensor& planned, const MergeContext& context) {
  if (context.lanes == nullptr || planned.treatment != Treatment::pruned) return false;
  const checkpoint::TensorInfo& base = context.inputs.base.tensors[planned.index];
  if (base.count() == 0 || !DeviceLane::takes(base.dtype) || !DeviceLane::takes(planned.out_dtype))
    return false;
  for (const Expert& expert : context.inputs.experts) {
    if (!DeviceLane::takes(expert.tensors[planned.index].dtype)) return false;
  }
  return true;
}

class DeviceMatrix {
 public:
  DeviceMatrix(const PlannedTensor& planned, const MergeContext& context, Scratch& scratch)
      : planned_(planned),
        context_(context),
        scratch_(scratch),
        reader_(planned, context, scratch),
        count_(reader_.base().count()) {
    outcome_.row.experts.resize(reader_.expert_count());
  }

  /// Nothing where the CPU must do it.
  std::optional<TensorOutcome> run(const Sink& sink) {
    if (!merge()) {
      context_.progress.bytes -= bytes_read_;
      return std::nullopt;
    }
    emit(sink);
    outcome_.fingerprints = reader_.fingerprints();
    return std::move(outcome_);
  }

 private:
  std::span<const std::byte> read(std::size_t model, Pool<std::byte>& buffer) {
    const auto raw = reader_.read(model, 0, count_, buffer);
    bytes_read_ += static_cast<std::int64_t>(raw.size());
    if (model < reader_.expert_count())
      context_.sources[model + 1].will_read(reader_.expert(model), 0, count_);
    return raw;
  }

  /// The rounded result into scratch.out.
  bool merge() {
    const auto raw = read(0, scratch_.raw_base);
    const Shape& shape = reader_.base().shape;
    const backend::LanePool::Lease lease = context_.lanes->borrow();
    DeviceLane& lane = *lease;
    if (!lane.start(shape[0], shape[1], {reader_.base().dtype, raw})) return false;
    const auto experts = reader_.expert_count(), slots = static_cast<std::size_t>(lane.slots());
    for (std::size_t first = 0; first < experts; first += slots) {
      throw_if_stopped();
      const std::size_t filled = std::min(slots, experts - first);
      if (!put(lane, first, filled)) return false;
      lowrank::DeviceBatch batch(lane);
      for (std::size_t slot = 0; slot < filled; ++slot)
        add(batch, first + slot, static_cast<int>(slot));
    }
    return finish(lane);
  }

  /// Task vectors of experts from `first` on; slots that nobody has are zero.
  bool put(DeviceLane& lane, std::size_t first, std::size_t filled) {
    for (std::size_t slot = 0; slot < static_cast<std::size_t>(lane.slots()); ++slot) {
      const std::size_t t = first + slot;
      if (slot >= filled) {
        lane.clear(static_cast<int>(slot));
        continue;
      }
      const auto raw = read(t + 1, scratch_.raw_expert);
      const StageTimer timer(context_.progress, Stage::task_vector);
      const auto figures = lane.put(static_cast<int>(slot), {reader_.expert(t).dtype, raw});
      if (!figures.is_finite) return false;
      outcome_.row.experts[t].tau_squared = figures.squared;
    }
    return true;
  }

  /// Prunes one slot and adds it to the sum.
  void add(lowrank::DeviceBatch& batch, std::size_t t, int slot) {
    stats::ExpertRow& row = outcome_.row.experts[t];
    const double tau_squared = row.tau_squared;
    methods::PruneParameters parameters = planned_.parts[t].prune;
    if (context_.budget != nullptr)
      parameters.threshold = threshold_of(*context_.budget, planned_, reader_, t);
    lowrank::DeviceEngine engine(batch, slot, tau_squared, scratch_.svd);
    methods::DevicePart part{batch.lane(), slot, [&] { return factors_of(engine, parameters, t); }};
    {
      const StageTimer timer(context_.progress, Stage::prune);
      row = methods::prune_on_device(context_.method, parameters, part);
    }
    if (context_.factors == nullptr && is_factorised(row)) ++context_.progress.matrices;
    row.tau_squared = tau_squared;
    const StageTimer timer(context_.progress, Stage::accumulate);
    row.merged_squared = batch.lane().add(planned_.parts[t].weight);
  }

  lowrank::Factors factors_of(lowrank::DeviceEngine& engine,
                              const methods::PruneParameters& parameters, std::size_t t) {
    const auto make = [&](const lowrank::RungStore* store) {
      return lowrank::truncated_svd(engine, parameters.rank, parameters.svd, store);
    };
    if (context_.factors == nullptr) return make(nullptr);
    return context_.factors->find_or_make(
        origin_of(reader_, t), parameters.svd,
        [&](const lowrank::RungStore& store) { return make(&store); }, context_.progress);
  }

  bool finish(DeviceLane& lane) {
    const StageTimer timer(context_.progress, Stage::round);
    const auto out = scratch_.out.take(count_ * size_of(planned_.out_dtype));
    const auto facts = lane.finish(
        {planned_.lambda, planned_.divisor, static_cast<std::uint8_t>(planned_.out_dtype)}, out);
    stats::ModelRow& row = outcome_.row.model;
    row.base_dot_delta = facts.base_dot_delta;
    row.delta_squared = facts.delta_squared;
    row.signs_total = facts.signs_total;
    row.signs_agree = facts.signs_agree;
    return facts.overflows == 0;
  }

  void emit(const Sink& sink) {
    const StageTimer timer(context_.progress, Stage::write);
    const auto out = scratch_.out.take(count_ * size_of(planned_.out_dtype));
    sink(0, out);
    context_.progress.bytes += static_cast<std::int64_t>(out.size());
  }

  const PlannedTensor& planned_;
  const MergeContext& context_;
  Scratch& scratch_;
  TensorReader reader_;
  std::int64_t count_;
  std::int64_t bytes_read_ = 0;
  TensorOutcome outcome_;
};

}  // namespace

bool is_factorised(const stats::ExpertRow& row) noexcept {
  return row.method.starts_with("host:") || row.method.starts_with("cuda:");
}

std::optional<TensorOutcome> merge_on_device(const PlannedTensor& planned,
                                             const MergeContext& context, Scratch& scratch,
                                             const Sink& sink) {
  if (!is_for_device(planned, context)) return std::nullopt;
  return DeviceMatrix(planned, context, scratch).run(sink);
}

lowrank::Factors factorise_on_device(backend::LanePool& lanes, MatrixView tau,
                                     const methods::PruneParameters& parameters,
                                     lowrank::Workspace& workspace,
                                     const lowrank::RungStore* store) {
  const backend::LanePool::Lease lease = lanes.borrow();
  DeviceLane& lane = *lease;
  (void)lane.start(tau.rows, tau.cols, {DType::f32, {}});
  const auto figures = lane.put(0, {DType::f32, std::as_bytes(tau.flat())});
  for (int slot = 1; slot < lane.slots(); ++slot) lane.clear(slot);
  lowrank::DeviceBatch batch(lane);
  lowrank::DeviceEngine engine(batch, 0, figures.squared, workspace);
  return lowrank::truncated_svd(engine, parameters.rank, parameters.svd, store);
}

}  // namespace koine::pipeline
