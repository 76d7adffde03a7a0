#include "pipeline/on_device.hpp"

#include <deque>

#include "core/stop.hpp"
#include "lowrank/device_engine.hpp"
#include "methods/on_device.hpp"
#include "pipeline/device_reader.hpp"
#include "pipeline/device_writer.hpp"
#include "pipeline/kept_factors.hpp"
#include "pipeline/model_budget.hpp"
#include "pipeline/tensor_reader.hpp"

namespace koine::pipeline {
namespace {

using backend::DeviceLane;
static_assert(DeviceLane::kKindsOfWork == kKernelNames.size());

/// One of the group, on its way.
struct Matrix {
  Matrix(const ToMerge& given, const MergeContext& context, Scratch& scratch)
      : to_merge(given), reader(*given.planned, context, scratch) {
    outcome.row.experts.resize(reader.expert_count());
  }
  [[nodiscard]] const PlannedTensor& planned() const noexcept { return *to_merge.planned; }

  const ToMerge& to_merge;
  TensorReader reader;
  TensorOutcome outcome;
  std::int64_t factorised = 0;
  bool is_lost = false;  ///< to the CPU
};

class DeviceGroup {
 public:
  DeviceGroup(std::span<const ToMerge> group, const MergeContext& context, Scratch& scratch)
      : context_(context), scratch_(scratch), experts_(context.inputs.experts.size()) {
    for (const ToMerge& one : group) matrices_.emplace_back(one, context, scratch);
  }

  std::vector<std::optional<TensorOutcome>> run() {
    work();
    std::vector<std::optional<TensorOutcome>> outcomes(matrices_.size());
    for (std::size_t i = 0; i < matrices_.size(); ++i) {
      if (matrices_[i].is_lost) {
        for (std::size_t model = 0; model <= experts_; ++model)
          context_.progress.bytes -= matrices_[i].reader.bytes_of(model);
        context_.progress.matrices -= matrices_[i].factorised;
      } else {
        outcomes[i] = std::move(matrices_[i].outcome);
      }
    }
    return outcomes;
  }

 private:
  /// A task vector: an expert's of a matrix.
  struct Pair {
    std::size_t matrix, expert;
  };

  void work() {
    const backend::LanePool::Lease lease = context_.lanes->borrow();
    const Stopwatch in_use(context_.progress.lane_nanoseconds);
    lane_ = &*lease;
    const DeviceLane::Busy before = lane_->busy();
    merge_all();
    const DeviceLane::Busy after = lane_->busy();
    context_.progress.add_busy(Resource::to_device, after.in - before.in);
    for (std::size_t kind = 0; kind < after.kernels.size(); ++kind)
      context_.progress.add_kernels(kind, after.kernels[kind] - before.kernels[kind]);
    context_.progress.add_busy(Resource::from_device, after.out - before.out);
  }

  void merge_all() {
    DeviceLane& lane = *lane_;
    const Shape& shape = matrices_.front().reader.base().shape;
    places_ = static_cast<std::size_t>(
        backend::places_of(lane.slots(), static_cast<std::int64_t>(experts_)));
    lane.begin(shape[0], shape[1], static_cast<int>(places_));
    DeviceReader reader(lane, loads());
    DeviceWriter writer(lane);
    const std::size_t pairs = matrices_.size() * experts_;
    for (std::size_t first = 0; first < pairs; first += static_cast<std::size_t>(lane.slots())) {
      throw_if_stopped();
      const auto batch = put(first, reader);
      lowrank::DeviceBatch task_vectors(lane);
      for (std::size_t slot = 0; slot < batch.size(); ++slot)
        add(task_vectors, batch[slot], static_cast<int>(slot), writer);
    }
    writer.finish();
  }

  /// What the device needs, in the order in which it does.
  std::vector<Load> loads() {
    std::vector<Load> all;
    for (Matrix& matrix : matrices_) {
      for (std::size_t model = 0; model <= experts_; ++model) {
        all.push_back({matrix.reader.bytes_of(model), [this, &matrix, model](auto bytes) {
                         const BusyTimer busy(context_.progress, Resource::reading);
                         matrix.reader.read_into(model, 0, bytes);
                         if (model < experts_) matrix.reader.announce(model + 1);
                       }});
      }
    }
    return all;
  }

  [[nodiscard]] int place_of(std::size_t matrix) const noexcept {
    return static_cast<int>(matrix % places_);
  }

  /// Fills the slots, from the first-th pair on; those that nobody has are zero.
  std::vector<Pair> put(std::size_t first, DeviceReader& reader) {
    std::vector<Pair> batch;
    for (int slot = 0; slot < lane_->slots(); ++slot) {
      const std::size_t at = first + static_cast<std::size_t>(slot);
      if (at >= matrices_.size() * experts_) {
        lane_->clear(slot);
        continue;
      }
      const Pair pair{at / experts_, at % experts_};
      const checkpoint::TensorInfo& base = matrices_[pair.matrix].reader.base();
      const int place = place_of(pair.matrix);
      if (pair.expert == 0) {
        const int buffer = reader.next();
        lane_->start(place, DeviceLane::sent(buffer, base.dtype));
        reader.give_back(buffer);
      }
      const int buffer = reader.next();
      const DType dtype = matrices_[pair.matrix].reader.expert(pair.expert).dtype;
      lane_->put(slot, place, DeviceLane::sent(buffer, dtype));
      reader.give_back(buffer);
      batch.push_back(pair);
    }
    note_facts(batch);
    return batch;
  }

  void note_facts(const std::vector<Pair>& batch) {
    const StageTimer timer(context_.progress, Stage::task_vector);
    const DeviceLane::Facts facts = lane_->facts();
    for (std::size_t slot = 0; slot < batch.size(); ++slot) {
      Matrix& matrix = matrices_[batch[slot].matrix];
      const auto place = static_cast<std::size_t>(place_of(batch[slot].matrix));
      const auto& figures = facts.task_vectors[slot];
      matrix.outcome.row.experts[batch[slot].expert].tau_squared = figures.squared;
      if (!figures.is_finite || !facts.base_is_finite[place]) matrix.is_lost = true;
    }
    // What is not finite must not meet the others in a batched solver.
    for (std::size_t slot = 0; slot < batch.size(); ++slot) {
      if (matrices_[batch[slot].matrix].is_lost) lane_->clear(static_cast<int>(slot));
    }
  }

  /// Prunes one slot and adds it to its matrix' sum; the last one of a matrix finishes it.
  // NOLINTNEXTLINE(readability-function-size): a slot's way
  void add(lowrank::DeviceBatch& batch, const Pair& pair, int slot, DeviceWriter& writer) {
    Matrix& matrix = matrices_[pair.matrix];
    if (matrix.is_lost) return;
    stats::ExpertRow& row = matrix.outcome.row.experts[pair.expert];
    const double tau_squared = row.tau_squared;
    methods::PruneParameters parameters = matrix.planned().parts[pair.expert].prune;
    if (context_.budget != nullptr)
      parameters.threshold =
          threshold_of(*context_.budget, matrix.planned(), matrix.reader, pair.expert);
    lowrank::DeviceEngine engine(batch, slot, tau_squared, scratch_.svd);
    methods::DevicePart part{batch.lane(), slot, [&] {
                               return factors_of(engine, parameters, matrix.reader, pair.expert);
                             }};
    {
      const StageTimer timer(context_.progress, Stage::prune);
      row = methods::prune_on_device(context_.method, parameters, part);
    }
    if (context_.factors == nullptr && is_factorised(row)) {
      ++context_.progress.matrices;
      ++matrix.factorised;
    }
    row.tau_squared = tau_squared;
    {
      const StageTimer timer(context_.progress, Stage::accumulate);
      row.merged_squared =
          lane_->add(place_of(pair.matrix), matrix.planned().parts[pair.expert].weight);
    }
    if (pair.expert + 1 == experts_) finish(matrix, place_of(pair.matrix), writer);
  }

  // NOLINTNEXTLINE(readability-function-size): what factors depend on
  lowrank::Factors factors_of(lowrank::DeviceEngine& engine,
                              const methods::PruneParameters& parameters,
                              const TensorReader& reader, std::size_t t) {
    const auto make = [&](const lowrank::RungStore* store) {
      return lowrank::truncated_svd(engine, parameters.rank, parameters.svd, store);
    };
    if (context_.factors == nullptr) return make(nullptr);
    return context_.factors->find_or_make(
        origin_of(reader, t), parameters.svd,
        [&](const lowrank::RungStore& store) { return make(&store); }, context_.progress);
  }

  /// The rounded result on its way to the sink, unless it overflows.
  void finish(Matrix& matrix, int place, DeviceWriter& writer) {
    const PlannedTensor& planned = matrix.planned();
    const int buffer = writer.room();
    const StageTimer timer(context_.progress, Stage::round);
    const auto facts =
        lane_->finish(place, {planned.lambda, planned.divisor, planned.out_dtype}, buffer);
    stats::ModelRow& row = matrix.outcome.row.model;
    row.base_dot_delta = facts.base_dot_delta;
    row.delta_squared = facts.delta_squared;
    row.signs_total = facts.signs_total;
    row.signs_agree = facts.signs_agree;
    matrix.outcome.fingerprints = matrix.reader.fingerprints();
    matrix.is_lost = facts.overflows > 0;
    if (matrix.is_lost) return writer.give_back(buffer);
    const std::int64_t bytes = matrix.reader.base().count() * size_of(planned.out_dtype);
    writer.put({buffer, bytes, [this, &matrix](std::span<const std::byte> out) {
                  const StageTimer timer_of_stage(context_.progress, Stage::write);
                  const BusyTimer busy(context_.progress, Resource::writing);
                  matrix.to_merge.sink(0, out);
                  context_.progress.bytes += static_cast<std::int64_t>(out.size());
                  ++context_.progress.tensors;
                }});
  }

  const MergeContext& context_;
  Scratch& scratch_;
  std::size_t experts_;
  std::deque<Matrix> matrices_;
  DeviceLane* lane_ = nullptr;
  std::size_t places_ = 1;
};

}  // namespace

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

bool is_factorised(const stats::ExpertRow& row) noexcept {
  return row.method.starts_with("host:") || row.method.starts_with("cuda:");
}

std::vector<std::optional<TensorOutcome>> merge_on_device(std::span<const ToMerge> group,
                                                          const MergeContext& context,
                                                          Scratch& scratch) {
  return DeviceGroup(group, context, scratch).run();
}

lowrank::Factors factorise_on_device(backend::LanePool& lanes, MatrixView tau,
                                     const methods::PruneParameters& parameters,
                                     lowrank::Workspace& workspace,
                                     const lowrank::RungStore* store) {
  const backend::LanePool::Lease lease = lanes.borrow();
  DeviceLane& lane = *lease;
  lane.begin(tau.rows, tau.cols, 1);
  lane.start_with_zeros(0);
  lane.put(0, 0, DeviceLane::stored({DType::f32, std::as_bytes(tau.flat())}));
  for (int slot = 1; slot < lane.slots(); ++slot) lane.clear(slot);
  const double tau_squared = lane.facts().task_vectors[0].squared;
  lowrank::DeviceBatch batch(lane);
  lowrank::DeviceEngine engine(batch, 0, tau_squared, workspace);
  return lowrank::truncated_svd(engine, parameters.rank, parameters.svd, store);
}

}  // namespace koine::pipeline
