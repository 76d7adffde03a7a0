#include "pipeline/shard_work.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/thread_pool.hpp"
#include "store/shard_writer.hpp"

namespace koine::pipeline {
namespace {

std::vector<store::ShardTensor> datasets_of(const PlannedShard& shard, const Plan& plan,
                                            const Inputs& inputs) {
  std::vector<store::ShardTensor> datasets;
  for (const std::size_t i : shard.tensors) {
    const auto& tensor = inputs.base.tensors[plan.tensors[i].index];
    datasets.push_back({tensor.name, plan.tensors[i].out_dtype, tensor.shape});
  }
  return datasets;
}

/// Positions in the shard, costliest tensor first, so that threads end together.
std::vector<std::size_t> costliest_first(const PlannedShard& shard, const Plan& plan) {
  std::vector<std::size_t> order(shard.tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return plan.tensors[shard.tensors[a]].cost > plan.tensors[shard.tensors[b]].cost;
  });
  return order;
}

/// Whether the file on disk is the one the journal speaks of.
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

std::optional<store::ShardRecord> reuse_shard(const PlannedShard& shard, const Plan& plan,
                                              const MergeContext& context,
                                              const std::filesystem::path& run,
                                              const ShardOptions& options) {
  const StageTimer timer(context.progress, Stage::check);
  auto record = store::read_record(run, shard.name);
  if (!record || !is_intact(*record, shard, plan, context.inputs, run, options.threads()))
    return std::nullopt;
  if (!options.trusts_inputs) require_same_inputs(*record, shard, plan, context, options.scratch);
  context.progress.bytes += shard.bytes_in + shard.bytes_out;
  context.progress.tensors += static_cast<std::int64_t>(shard.tensors.size());
  return record;
}

store::ShardRecord merge_shard(const PlannedShard& shard, const Plan& plan,
                               const MergeContext& context, const std::filesystem::path& run,
                               const ShardOptions& options) {
  std::error_code none;
  std::filesystem::remove(run / shard.file,
                          none);  // not trusted any more; a full disk must not hold it twice
  store::ShardWriter writer(run / shard.file, shard.name, datasets_of(shard, plan, context.inputs));
  store::ShardRecord record{shard.name, shard.file, {}, 0, options.arithmetic, {}, {}};
  record.tensors.resize(shard.tensors.size());
  std::vector<std::vector<std::string>> other_integers(shard.tensors.size());
  const auto order = costliest_first(shard, plan);
  parallel_for(static_cast<std::int64_t>(order.size()), options.threads(),
               [&](std::int64_t i, int thread) {
                 const std::size_t at = order[static_cast<std::size_t>(i)];
                 TensorOutcome outcome =
                     merge_tensor(plan.tensors[shard.tensors[at]], context,
                                  options.scratch[static_cast<std::size_t>(thread)],
                                  [&](std::int64_t offset, std::span<const std::byte> bytes) {
                                    writer.write(at, offset, bytes);
                                  });
                 record.tensors[at].inputs = std::move(outcome.fingerprints);
                 record.tensors[at].row = std::move(outcome.row);
                 other_integers[at] = std::move(outcome.experts_with_other_integers);
               });
  for (std::size_t at = 0; at < other_integers.size(); ++at) {
    const PlannedTensor& planned = plan.tensors[shard.tensors[at]];
    for (const std::string& expert : other_integers[at])
      record.other_integers.emplace_back(expert, context.inputs.base.tensors[planned.index].name);
  }
  const StageTimer timer(context.progress, Stage::publish);
  const store::ShardSeal seal = writer.publish(options.threads());
  record.sha256 = seal.sha256;
  record.size = seal.size;
  for (std::size_t at = 0; at < seal.tensors.size(); ++at)
    record.tensors[at].seal = seal.tensors[at];
  store::write_record(run, record);
  return record;
}

}  // namespace koine::pipeline
