#include "pipeline/merge.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/stop.hpp"
#include "lowrank/truncated_svd.hpp"
#include "pipeline/device_plan.hpp"
#include "pipeline/find_budget.hpp"
#include "pipeline/finish.hpp"
#include "pipeline/kept_factors.hpp"
#include "pipeline/origin.hpp"
#include "pipeline/run_folder.hpp"
#include "pipeline/run_log.hpp"
#include "pipeline/shard_relay.hpp"
#include "pipeline/share_factors.hpp"
#include "pipeline/tied_output.hpp"

namespace koine::pipeline {
namespace {

void tell(const MergeWatcher& watcher, const comm::Communicator& processes,
          const std::vector<std::string>& notes) {
  if (!watcher.note || !processes.is_root()) return;
  for (const std::string& note : notes) watcher.note(note);
}

/// This process' share of the shards: used again where they are finished and intact, merged
/// otherwise.
struct Share {
  stats::Slots slots;
  std::int64_t reused = 0, merged = 0;
};

/// Notes a published shard's figures.
void note(Share& share, const PlannedShard& shard, const store::ShardRecord& record) {
  for (std::size_t i = 0; i < shard.tensors.size(); ++i)
    share.slots.fill(shard.tensors[i], record.tensors[i].row);
}

/// Takes what is finished; returns the shards that are left for this process to merge.
std::vector<std::size_t> take_finished(const Plan& plan, const MergeContext& context,
                                       const RunFolder& run, const ShardOptions& options, int rank,
                                       Share& share) {
  std::vector<std::size_t> left;
  for (const std::size_t index : plan.shards_of(rank)) {
    throw_if_stopped();
    if (const auto record = reuse_shard(plan.shards[index], plan, context, run.path, options)) {
      note(share, plan.shards[index], *record);
      ++share.reused;
    } else {
      left.push_back(index);
    }
  }
  return left;
}

/// Which shards any process has left. Collective; the same everywhere.
std::vector<bool> left_of_all(const std::vector<std::size_t>& left, const Plan& plan,
                              comm::Communicator& processes) {
  std::vector<std::int64_t> flags(plan.shards.size(), 0);
  for (const std::size_t index : left) flags[index] = 1;
  processes.all_reduce_sum(flags);
  return {flags.begin(), flags.end()};
}

/// This process' share of the shards: used again where they are finished and intact, merged
/// otherwise. Collective.
Share merge_share(const Plan& plan, const MergeContext& context, const RunFolder& run,
                  const ShardOptions& options, comm::Communicator& processes) {
  Share share{stats::Slots(plan.tensors.size(), context.inputs.experts.size())};
  const auto left = take_finished(plan, context, run, options, processes.rank().value, share);
  if (!plan.shared.empty() && plan.densities.empty())  // else they were, for the thresholds
    share_factors(plan, left_of_all(left, plan, processes), context, options.threads(), processes);
  merge_shards(left, plan, context, run.path, options,
               [&](std::size_t index, const store::ShardRecord& record) {
                 note(share, plan.shards[index], record);
               });
  share.merged = static_cast<std::int64_t>(left.size());
  return share;
}

std::string start_line(const recipe::Recipe& recipe, const RunFolder& run, int processes,
                       int threads) {
  const char* how = run.state == RunState::fresh     ? "starts"
                    : run.state == RunState::resumed ? "goes on"
                                                     : "checks a complete run";
  return fmt::format("{} {}: {} processes, {} threads each", recipe.merge_method, how, processes,
                     threads);
}

/// What is known before the root completes the folder.
MergeOutcome outcome_of(const Plan& plan, const Inputs& inputs, const Share& share) {
  MergeOutcome outcome;
  outcome.totals = share.slots.totals();
  outcome.shards = static_cast<std::int64_t>(plan.shards.size());
  outcome.tensors = static_cast<std::int64_t>(plan.tensors.size());
  outcome.expert_names = inputs.expert_names();
  return outcome;
}

void add_up(MergeOutcome& outcome, const std::vector<std::string>& ranks) {
  for (const std::string& text : ranks) {
    const Json rank = Json::parse(text);
    outcome.bytes_read += rank.at("bytes_read").get<std::int64_t>();
    outcome.bytes_written += rank.at("bytes_written").get<std::int64_t>();
    outcome.matrices += rank.at("matrices_factorised").get<std::int64_t>();
    outcome.matrices_found += rank.at("matrices_found").get<std::int64_t>();
    outcome.peak_memory =
        std::max(outcome.peak_memory, rank.at("peak_memory_bytes").get<std::int64_t>());
  }
}

}  // namespace

MergeOutcome merge(const recipe::Recipe& recipe, const std::filesystem::path& target,
                   const MergeOptions& options, comm::Communicator& processes,
                   const MergeWatcher& watcher) {
  const auto start = std::chrono::steady_clock::now();
  lowrank::use_one_blas_thread();
  const Inputs inputs = open_inputs(recipe, processes);  // collective
  Plan on_cpu = make_plan(recipe, inputs, processes.size());
  const int threads = threads_within(on_cpu, inputs, options.threads, options.memory);
  DeviceOfMerge device({options.gpu, options.must_use_gpu}, on_cpu, inputs, threads, processes);
  const Plan plan = device.lanes() == nullptr
                        ? std::move(on_cpu)
                        : make_plan(recipe, inputs, processes.size(), gpu_rates());
  const Identity identity = identity_of(recipe, inputs, device.arithmetic());
  RunLock lock;
  const RunFolder run =
      open_run_folder({target, options.start_over, plan.bytes_out, plan.bytes_factors}, identity,
                      inputs, processes, lock);
  for (const auto* notes : {&inputs.notes, &plan.warnings, &run.notes, &device.notes()})
    tell(watcher, processes, *notes);
  if (watcher.planned) watcher.planned(plan, inputs, run.path, threads);
  const auto sources = open_sources(inputs);
  const auto method = methods::make(recipe.merge_method);
  MergeContext context{inputs,  sources, *method,       options.allow_nonfinite, *watcher.progress,
                       nullptr, nullptr, device.lanes()};
  if (processes.is_root()) {
    log_line(run.path, start_line(recipe, run, processes.size(), threads));
    write_origin(run.path, options.origin);
    check_tied_outputs(context);
  }
  std::optional<KeptFactors> cache, own;
  if (!options.cache.empty())
    context.factors = &open_cache(options.cache, identity.arithmetic, cache, processes);
  else if (!plan.densities.empty() || !plan.shared.empty())
    context.factors = &own.emplace(KeptFactors::folder_in(run.path), identity.arithmetic,
                                   KeptFactors::Trouble::ends);
  RunBudget budget;
  budget.settle(plan, {identity, run, threads}, context, processes);  // collective
  std::vector<Scratch> scratch(static_cast<std::size_t>(threads));
  Share share =
      merge_share(plan, context, run, {scratch, run.trusts_inputs, identity.arithmetic}, processes);
  scratch.clear();  // what completes the run takes its place

  processes.all_reduce_sum(share.slots.values());  // collective
  std::vector<std::int64_t> counts{share.reused, share.merged};
  processes.all_reduce_sum(counts);
  auto ranks = processes.gather(timing_of(processes.rank().value, *watcher.progress, io_count()));

  MergeOutcome outcome = outcome_of(plan, inputs, share);
  outcome.folder = target;
  outcome.shards_reused = counts[0];
  if (processes.is_root()) {
    const FinishedRun finished{recipe, inputs, plan, identity, run, outcome.totals};
    outcome.notes = journal_notes(finished);
    outcome.was_complete =
        run.state == RunState::complete && counts[1] == 0 && is_finished(finished);
    if (!outcome.was_complete) finish_run(finished);
    ranks[0] = timing_of(0, *watcher.progress, io_count());
    add_up(outcome, ranks);
    outcome.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (!outcome.was_complete) write_timing(run.path, ranks, outcome.seconds);
    log_line(run.path, "complete");
    KeptFactors::remove_from(run.path);
    settle_run_folder(run, inputs);
    if (cache) cache->settle(outcome.notes);
  }
  processes.barrier();
  return outcome;
}

}  // namespace koine::pipeline
