#include "pipeline/merge.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "core/json.hpp"
#include "lowrank/truncated_svd.hpp"
#include "pipeline/device_plan.hpp"
#include "pipeline/find_budget.hpp"
#include "pipeline/finish.hpp"
#include "pipeline/origin.hpp"
#include "pipeline/place_of_factors.hpp"
#include "pipeline/run_folder.hpp"
#include "pipeline/run_log.hpp"
#include "pipeline/shard_claims.hpp"
#include "pipeline/share_of_shards.hpp"
#include "pipeline/tied_output.hpp"

namespace koine::pipeline {
namespace {

void tell(const MergeWatcher& watcher, const comm::Communicator& processes,
          const std::vector<std::string>& notes) {
  if (!watcher.note || !processes.is_root()) return;
  for (const std::string& note : notes) watcher.note(note);
}

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Root only, when the run is complete.
void tidy_up(const RunFolder& run, const Inputs& inputs, const PlaceOfFactors& place,
             MergeOutcome& outcome) {
  log_line(run.path, "complete");
  place.settle(run, outcome.notes);
  ShardClaims::forget(run.path);
  settle_run_folder(run, inputs);
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
  const auto start = Clock::now();
  lowrank::use_one_blas_thread();
  const Inputs inputs = open_inputs(recipe, processes);  // collective
  Plan on_cpu = make_plan(recipe, inputs, processes.size());
  const int threads = threads_within(on_cpu, inputs, options.threads, options.memory);
  DeviceOfMerge device({options.gpu, options.must_use_gpu}, on_cpu, inputs, threads, processes);
  const Plan plan = device.lanes() == nullptr
                        ? std::move(on_cpu)
                        : make_plan(recipe, inputs, processes.size(), gpu_rates());
  const Identity own = identity_of(recipe, inputs, device.arithmetic());
  const Identity identity = identity_of_all(own, processes);  // collective
  PlaceOfFactors place({options.cache, own, identity}, plan, processes);
  RunLock lock;
  const RunFolder run =
      open_run_folder({target, options.start_over, plan.bytes_out, place.bytes_beside_run()},
                      identity, inputs, processes, lock);
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
  context.factors = place.open(run, processes);
  RunBudget budget;
  budget.settle(plan, {identity, run, threads}, context, processes);  // collective
  std::vector<Scratch> scratch(static_cast<std::size_t>(threads));
  const ShardOptions shard_options{scratch, run.trusts_inputs, own.arithmetic};
  const bool is_alike = identity.arithmetic == own.arithmetic;
  Share share = merge_share(plan, context, run, shard_options, is_alike, processes);  // collective
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
    outcome.was_complete =
        run.state == RunState::complete && counts[1] == 0 && is_finished(finished);
    outcome.notes = outcome.was_complete ? journal_notes(finished) : finish_run(finished);
    ranks[0] = timing_of(0, *watcher.progress, io_count());
    add_up(outcome, ranks);
    outcome.seconds = seconds_since(start);
    if (!outcome.was_complete) write_timing(run.path, ranks, outcome.seconds);
    tidy_up(run, inputs, place, outcome);
  }
  processes.barrier();
  return outcome;
}

}  // namespace koine::pipeline
