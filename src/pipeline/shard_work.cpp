#include "pipeline/shard_work.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/thread_pool.hpp"
#include "pipeline/model_budget.hpp"
#include "pipeline/on_device.hpp"
#include "store/shard_writer.hpp"

namespace koine::pipeline {
namespace {

// Of a group, but for its last matrix: three batches, so that a shard keeps several lanes busy.
constexpr std::size_t kMostTaskVectors = 24;

/// Positions in the shard, costliest tensor first.
std::vector<std::size_t> costliest_first(const PlannedShard& shard, const Plan& plan) {
  std::vector<std::size_t> order(shard.tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return plan.tensors[shard.tensors[a]].cost > plan.tensors[shard.tensors[b]].cost;
  });
  return order;
}

std::vector<store::ShardTensor> datasets_of(const PlannedShard& shard, const Plan& plan,
                                            const Inputs& inputs) {
  std::vector<store::ShardTensor> datasets;
  for (const std::size_t i : shard.tensors) {
    const auto& tensor = inputs.base.tensors[plan.tensors[i].index];
    datasets.push_back({tensor.name, plan.tensors[i].out_dtype, tensor.shape});
  }
  return datasets;
}

/// Whether the file on disk is the one the journal speaks of.
// NOLINTNEXTLINE(readability-function-size): what a merge consists of, each by its own name
bool is_intact(const store::ShardRecord& record, const PlannedShard& shard, const Plan& plan,
               const Inputs& inputs, const std::filesystem::path& run, int threads) {
  const auto datasets = datasets_of(shard, plan, inputs);
  if (record.file != shard.file || record.tensors.size() != datasets.size()) return false;
  std::vector<store::TensorSeal> segments;
  std::vector<std::int64_t> bytes;
  for (std::size_t i = 0; i < datasets.size(); ++i) {
    if (record.tensors[i].seal.name != datasets[i].name) return false;
    if (record.tensors[i].row.experts.size() != inputs.experts.size()) return false;
    segments.push_back(record.tensors[i].seal);
    bytes.push_back(datasets[i].bytes());
  }
  std::error_code missing;
  const auto size = std::filesystem::file_size(run / shard.file, missing);
  if (missing || static_cast<std::int64_t>(size) != record.size) return false;
  const store::ShardSeal found = store::hash_shard(run / shard.file, segments, bytes, threads);
  return found.sha256 == record.sha256;
}

void require_same_inputs(const store::ShardRecord& record, const PlannedShard& shard,
                         const Plan& plan, const MergeContext& context,
                         std::span<Scratch> scratch) {
  const auto order = costliest_first(shard, plan);
  const int threads = static_cast<int>(scratch.size());
  parallel_for(static_cast<std::int64_t>(order.size()), threads, [&](std::int64_t i, int thread) {
    const std::size_t at = order[static_cast<std::size_t>(i)];
    const PlannedTensor& planned = plan.tensors[shard.tensors[at]];
    const auto now = fingerprints_of(planned, context, scratch[static_cast<std::size_t>(thread)]);
    const auto& before = record.tensors[at].inputs;
    for (std::size_t model = 0; model < now.size(); ++model) {
      if (model < before.size() && now[model] == before[model]) continue;
      const auto& header =
          model == 0 ? context.inputs.base : context.inputs.experts[model - 1].header;
      throw InputError(
          fmt::format("{}: tensor '{}' has changed since shard {} was merged from it; merge into "
                      "another --output, or "
                      "--fresh to start over",
                      header.path, context.inputs.base.tensors[planned.index].name, shard.name));
    }
  });
}

}  // namespace

std::vector<std::vector<std::size_t>> groups_of(const PlannedShard& shard, const Plan& plan,
                                                const MergeContext& context) {
  const std::size_t experts = std::max<std::size_t>(context.inputs.experts.size(), 1);
  const std::size_t most = (kMostTaskVectors + experts - 1) / experts;
  std::vector<std::vector<std::size_t>> groups;
  std::map<Shape, std::size_t> of_shape;  // the last group of it
  for (const std::size_t at : costliest_first(shard, plan)) {
    const PlannedTensor& planned = plan.tensors[shard.tensors[at]];
    const Shape& shape = context.inputs.base.tensors[planned.index].shape;
    const bool is_shared = is_for_device(planned, context);
    const auto open = of_shape.find(shape);
    if (is_shared && open != of_shape.end() && groups[open->second].size() < most) {
      groups[open->second].push_back(at);
      continue;
    }
    if (is_shared) of_shape[shape] = groups.size();
    groups.push_back({at});
  }
  return groups;
}

std::optional<store::ShardRecord> reuse_shard(const PlannedShard& shard, const Plan& plan,
                                              const MergeContext& context,
                                              const std::filesystem::path& run,
                                              const ShardOptions& options) {
  const StageTimer timer(context.progress, Stage::check);
  auto record = store::read_record(run, shard.name);
  if (!record || !is_intact(*record, shard, plan, context.inputs, run, options.threads()))
    return std::nullopt;
  if (context.budget != nullptr && !context.budget->agrees(*record, shard)) return std::nullopt;
  if (!options.trusts_inputs) require_same_inputs(*record, shard, plan, context, options.scratch);
  context.progress.bytes += shard.bytes_in - shard.bytes_searched + shard.bytes_out;
  if (plan.densities.empty()) context.progress.bytes += shard.bytes_shared;
  context.progress.tensors += static_cast<std::int64_t>(shard.tensors.size());
  return record;
}

ShardWork::ShardWork(const PlannedShard& shard, const Plan& plan, const MergeContext& context,
                     const std::filesystem::path& run, const std::string& arithmetic)
    : shard_(shard),
      plan_(plan),
      context_(context),
      run_(run),
      record_{shard.name, shard.file, {}, 0, arithmetic, {}, {}},
      other_integers_(shard.tensors.size()) {
  std::error_code none;
  std::filesystem::remove(run / shard.file, none);
  record_.tensors.resize(shard.tensors.size());
  writer_ = std::make_unique<store::ShardWriter>(run / shard.file, shard.name,
                                                 datasets_of(shard, plan, context.inputs));
}

void ShardWork::merge(const std::vector<std::size_t>& group, Scratch& scratch) {
  std::vector<ToMerge> all;
  all.reserve(group.size());
  for (const std::size_t at : group) {
    all.push_back({&plan_.tensors[shard_.tensors[at]],
                   [this, at](std::int64_t offset, std::span<const std::byte> bytes) {
                     writer_->write(at, offset, bytes);
                   }});
  }
  std::vector<TensorOutcome> outcomes = merge_tensors(all, context_, scratch);
  for (std::size_t i = 0; i < group.size(); ++i) {
    const std::size_t at = group[i];
    record_.tensors[at].inputs = std::move(outcomes[i].fingerprints);
    record_.tensors[at].row = std::move(outcomes[i].row);
    other_integers_[at] = std::move(outcomes[i].experts_with_other_integers);
  }
}

store::ShardRecord ShardWork::publish(int threads) {
  for (std::size_t at = 0; at < other_integers_.size(); ++at) {
    const PlannedTensor& planned = plan_.tensors[shard_.tensors[at]];
    for (const std::string& expert : other_integers_[at])
      record_.other_integers.emplace_back(expert, context_.inputs.base.tensors[planned.index].name);
  }
  const store::ShardSeal seal = writer_->publish(threads);
  record_.sha256 = seal.sha256;
  record_.size = seal.size;
  for (std::size_t at = 0; at < seal.tensors.size(); ++at)
    record_.tensors[at].seal = seal.tensors[at];
  store::write_record(run_, record_);
  return std::move(record_);
}

}  // namespace koine::pipeline
