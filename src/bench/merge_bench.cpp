#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "bench/benches.hpp"
#include "bench/child.hpp"
#include "comm/communicator.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "pipeline/plan.hpp"
#include "pipeline/progress.hpp"
#include "pipeline/synth.hpp"
#include "recipe/recipe.hpp"
#include "store/verify.hpp"

namespace koine::bench {
namespace {

constexpr std::int64_t kMostText = std::int64_t{1} << 26;

/// One merge as it reports itself.
struct Run {
  double seconds = 0, cpu = 0;
  double merging = 0;  ///< seconds without starting the process
  double bytes_read = 0, bytes_written = 0;
  std::int64_t peak_memory = 0;
  std::map<std::string, double> stages;  ///< seconds, added over threads
  std::string sums;                      ///< SHA256SUMS
};

std::filesystem::path models(const Lab& lab) {
  return lab.options().folder / "models";
}

/// Base and experts; kept for the next thread count.
std::filesystem::path make_models(const Lab& lab, int threads) {
  pipeline::SynthOptions wanted;
  wanted.model = lab.options().model;
  wanted.experts = lab.options().experts;
  if (lab.options().is_quick) wanted.layers = 1;
  wanted.output = models(lab);
  wanted.threads = threads;
  return pipeline::synth(wanted).recipe;
}

struct Needed {
  Work flops;  ///< G of integers, a Krylov basis of 7 blocks of 8 by it and one of 2 through tau,
               ///< B = U^T tau and its judgement, of every selected matrix and expert
  pipeline::Work work;  ///< as the plan counts
};

Needed needed_of(const std::filesystem::path& recipe_file) {
  const recipe::Recipe recipe = recipe::read(
      recipe_file.string(),
      {{fmt::format("parameters.rank={}", kKept), fmt::format("parameters.density={}", kDensity)},
       ""});
  const auto alone = comm::make_self();
  const pipeline::Inputs inputs = pipeline::open_inputs(recipe, *alone);
  const pipeline::Plan plan = pipeline::make_plan(recipe, inputs, 1);
  Needed needed;
  for (const pipeline::PlannedShard& shard : plan.shards) needed.work += shard.work;
  for (const pipeline::PlannedTensor& tensor : plan.tensors) {
    if (tensor.treatment != pipeline::Treatment::pruned) continue;
    const Shape& shape = inputs.base.tensors[tensor.index].shape;
    const auto m = static_cast<double>(std::min(shape.front(), shape.back()));
    const auto n = static_cast<double>(std::max(shape.front(), shape.back()));
    constexpr double kByIntegers = 7 * 8, kThroughTau = 2 * 8, kProjected = 8;
    const auto experts = static_cast<double>(tensor.parts.size());
    needed.flops.flops32 +=
        experts * (m * m * n / 2 + 2 * m * m * kByIntegers + 4 * m * n * kThroughTau);
    needed.flops.flops +=
        experts *
        (4 * m * (kByIntegers * kByIntegers + kThroughTau * kThroughTau) + 4 * m * n * kProjected);
  }
  return needed;
}

Run merge_once(const Lab& lab, const std::filesystem::path& recipe, int threads) {
  const std::filesystem::path target = lab.options().folder / "run";
  const ChildResult child =
      run_child({lab.options().program.string(), "merge", recipe.string(), "--output",
                 target.string(), "--set", fmt::format("parameters.rank={}", kKept), "--set",
                 fmt::format("parameters.density={}", kDensity), "--threads",
                 std::to_string(threads), "--fresh", "--quiet", "--json", "--backend", "cpu"},
                lab.options().folder);
  const Json report = parse_strict_json(child.output, "koine merge --json");
  const Json timing = parse_strict_json(read_text_file(target / "timing.json", kMostText),
                                        (target / "timing.json").string());
  const Json& process = timing.at("ranks").at(0);
  Run run;
  run.seconds = child.seconds;
  run.merging = timing.at("seconds").get<double>();
  run.cpu = process.at("cpu_seconds").get<double>() / threads;
  run.bytes_read = report.at("bytes_read").get<double>();
  run.bytes_written = report.at("bytes_written").get<double>();
  run.peak_memory = report.at("peak_memory_bytes").get<std::int64_t>();
  for (const auto& [name, seconds] : process.at("stage_seconds").items())
    run.stages[name] = seconds.get<double>() / threads;
  run.sums = read_text_file(target / "SHA256SUMS", kMostText);
  return run;
}

/// Every repeat left the same bytes, and the last one's are as its manifest says.
bool is_right(const Lab& lab, const std::vector<Run>& runs, int threads) {
  const bool is_same = std::all_of(runs.begin(), runs.end(),
                                   [&](const Run& run) { return run.sums == runs.front().sums; });
  const auto report =
      store::verify(lab.options().folder / "run", store::VerifyOptions{1.0, 0, threads, {}});
  return is_same && !runs.front().sums.empty() && report.damages.empty() && report.tensors > 0;
}

template <typename Value>
Sample sample_of(const std::vector<Run>& runs, Value&& seconds_of) {
  Sample sample;
  for (const Run& run : runs) {
    sample.seconds.push_back(seconds_of(run));
    sample.cpu.push_back(run.cpu);
  }
  return sample;
}

Bound compute_bound(Lab& lab, const Work& all, int threads) {
  return lab.compute_bound({.flops = all.flops / threads, .flops32 = all.flops32 / threads},
                           threads);
}

/// The larger of the flops at the gemm rates and of the bytes at the rates of reading and writing.
Bound bound_of(Lab& lab, const Run& run, const Work& all, int threads) {
  Bound compute = compute_bound(lab, all, threads);
  const double seconds = run.bytes_read / lab.page_cache_rate(threads).per_second +
                         run.bytes_written / lab.write_rate(threads).per_second;
  if (compute.seconds >= seconds) return compute;
  return {"read+write", 0, (run.bytes_read + run.bytes_written) / seconds, seconds, 0};
}

/// A stage's seconds per thread, in the order of the pipeline.
void report_stages(Lab& lab, const Figure& whole, const std::vector<Run>& runs) {
  for (const std::string_view name : pipeline::kStageNames) {
    Figure stage = whole;
    stage.bench = fmt::format("merge.{}", name);
    const Sample sample = sample_of(runs, [&](const Run& run) {
      const auto found = run.stages.find(std::string(name));
      return found == run.stages.end() ? 0.0 : found->second;
    });
    stage.seconds = spread_of(sample);
    stage.seconds.cpu = 0;
    stage.work = {};
    stage.bound.reset();
    stage.merge->peak_memory = 0;
    if (name == "prune") {
      stage.work = {.flops = whole.work.flops, .flops32 = whole.work.flops32};
      stage.bound = compute_bound(lab, stage.work, whole.threads);
    } else if (name == "read") {
      const double rate = lab.page_cache_rate(whole.threads).per_second;
      stage.work.bytes = runs.front().bytes_read;
      stage.bound = Bound{"page_cache_read", 0, rate, stage.work.bytes / rate, 0};
    }
    lab.report(stage);
  }
}

double median_of(const std::vector<Run>& runs, const std::function<double(const Run&)>& value) {
  return spread_of(sample_of(runs, value)).median;
}

/// What a worker does in a second: each kind of work by its stage's time, all of them stretched so
/// that they make up the merge's.
pipeline::WorkerRates rates_of(const std::vector<Run>& runs, const pipeline::Work& work,
                               int threads) {
  const auto stage = [&](const char* name) {
    return median_of(runs, [&](const Run& run) { return run.stages.at(name); });
  };
  pipeline::StageSeconds stages{stage("read"), stage("task_vector") + stage("accumulate"),
                                stage("prune"), stage("round"), stage("write") + stage("publish")};
  const double sum = stages.read + stages.parts + stages.prune + stages.results + stages.write;
  const double whole = median_of(runs, [](const Run& run) { return run.merging; });
  for (double* seconds :
       {&stages.read, &stages.parts, &stages.prune, &stages.results, &stages.write})
    *seconds *= threads * whole / sum;
  return {threads, pipeline::calibrated(pipeline::common_rates(), work, stages)};
}

}  // namespace

void bench_merge(Lab& lab, int threads) {
  const std::filesystem::path recipe = make_models(lab, threads);
  const Needed needed = needed_of(recipe);
  std::vector<Run> runs;
  runs.reserve(static_cast<std::size_t>(lab.options().repeats));
  (void)merge_once(lab, recipe, threads);  // warms the page cache up
  for (int repeat = 0; repeat < lab.options().repeats; ++repeat)
    runs.push_back(merge_once(lab, recipe, threads));

  Figure figure;
  figure.bench = "merge";
  figure.threads = threads;
  figure.repeats = lab.options().repeats;
  figure.seconds = spread_of(sample_of(runs, [](const Run& run) { return run.seconds; }));
  figure.work = needed.flops;
  figure.work.bytes = runs.front().bytes_read + runs.front().bytes_written;
  figure.bound = bound_of(lab, runs.front(), needed.flops, threads);
  figure.is_checked = is_right(lab, runs, threads);
  std::int64_t peak = 0;
  for (const Run& run : runs) peak = std::max(peak, run.peak_memory);
  figure.merge = MergeFacts{lab.options().model, lab.options().experts, peak};
  lab.report(figure);
  report_stages(lab, figure, runs);
  if (lab.options().rates) lab.options().rates(rates_of(runs, needed.work, threads));
  std::filesystem::remove_all(lab.options().folder / "run");
}

}  // namespace koine::bench
