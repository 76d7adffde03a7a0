#include "pipeline/merge.hpp"

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "choose_gpu.hpp"
#include "commands.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "live_progress.hpp"
#include "plan_view.hpp"
#include "recipe_options.hpp"
#include "status_beat.hpp"

namespace koine::jobs {
namespace {

struct Options : RecipeOptions {
  std::string backend = "auto", transport = "auto", cache;
  double stall = 60;
  bool is_dry = false, as_json = false, allow_nonfinite = false;
};

double percent(double part, double whole) {
  return whole > 0 ? 100 * part / whole : 100;
}

void summarise(const Session& session, const recipe::Recipe& recipe,
               const pipeline::MergeOutcome& outcome, int threads, bool has_cache) {
  const std::string folder = outcome.folder.string();
  if (outcome.was_complete) {
    session.say(fmt::format("{} is complete and intact: {} shards checked, nothing to do", folder,
                            outcome.shards));
  } else {
    session.say(fmt::format("merged {} experts with {}: {}", outcome.expert_names.size(),
                            recipe.merge_method, fmt::join(outcome.expert_names, ", ")));
    for (std::size_t t = 0; t < outcome.expert_names.size(); ++t) {
      const auto& row = outcome.totals.experts[t];
      session.detail(fmt::format(
          "  {:12} {:.1f} % of its task vector's energy kept, {} entries", outcome.expert_names[t],
          percent(row.merged_squared, row.tau_squared), human_count(row.kept)));
    }
    session.say(fmt::format(
        "  wrote   {}: {} tensors in {} shards{}, model.h5, report.html, manifest.json", folder,
        outcome.tensors, outcome.shards,
        outcome.shards_reused > 0 ? fmt::format(" ({} were there)", outcome.shards_reused) : ""));
    if (has_cache && outcome.matrices_found > 0) {
      session.say(fmt::format("  cache   {} of {} factorisations were there",
                              outcome.matrices_found, outcome.matrices_found + outcome.matrices));
    }
    const int processes = session.processes->size();
    session.say(
        fmt::format("  took    {} on {} process{} of {} thread{}; read {}, wrote {}, peak memory "
                    "{} per process",
                    human_seconds(outcome.seconds), processes, processes == 1 ? "" : "es", threads,
                    threads == 1 ? "" : "s", human_bytes(outcome.bytes_read),
                    human_bytes(outcome.bytes_written), human_bytes(outcome.peak_memory)));
  }
  session.next(fmt::format("koine verify {0}", folder));
  session.next(fmt::format("koine export {0} --format hf --output {0}-hf", folder));
}

/// "  time    read 12 %, prune 70 %, ...": shares of `whole`, or of all where that is 0.
template <std::size_t N>
std::string shares_line(std::string_view title, const std::array<std::string_view, N>& names,
                        const std::array<std::atomic<std::int64_t>, N>& nanoseconds,
                        std::int64_t whole = 0) {
  if (whole == 0) {
    for (const auto& part : nanoseconds) whole += part.load();
  }
  std::vector<std::string> shares;
  for (std::size_t i = 0; i < N; ++i) {
    const std::int64_t own = nanoseconds[i].load();
    if (own > 0)
      shares.push_back(fmt::format("{} {:.0f} %", names[i],
                                   percent(static_cast<double>(own), static_cast<double>(whole))));
  }
  return fmt::format("  {:7} {}", title, fmt::join(shares, ", "));
}

/// Where the time of this process' threads went, and how busy what works for a GPU was.
void say_shares(const Session& session, const pipeline::Progress& progress) {
  session.detail(shares_line("time", pipeline::kStageNames, progress.nanoseconds));
  const std::int64_t in_use = progress.lane_nanoseconds.load();
  if (in_use == 0) return;
  session.detail(shares_line("busy", pipeline::kResourceNames, progress.busy_nanoseconds, in_use) +
                 " of the time that the GPU was in use");
  session.detail(shares_line("kernels", pipeline::kKernelNames, progress.kernel_nanoseconds));
}

std::string json_of(const recipe::Recipe& recipe, const pipeline::MergeOutcome& outcome) {
  return Json{{"schema", "koine-merge-1"},
              {"path", outcome.folder.string()},
              {"merge_method", recipe.merge_method},
              {"experts", outcome.expert_names},
              {"was_complete", outcome.was_complete},
              {"tensors", outcome.tensors},
              {"shards", outcome.shards},
              {"shards_reused", outcome.shards_reused},
              {"matrices_factorised", outcome.matrices},
              {"matrices_found", outcome.matrices_found},
              {"bytes_read", outcome.bytes_read},
              {"bytes_written", outcome.bytes_written},
              {"peak_memory_bytes", outcome.peak_memory},
              {"seconds", outcome.seconds}}
      .dump();
}

std::string where_it_runs(const backend::Choice& place) {
  if (place.gpu) return fmt::format("  on {} ({})", place.gpu->device.name, place.gpu->versions);
  return place.why_cpu.empty() ? "  on the CPU" : fmt::format("  on the CPU: {}", place.why_cpu);
}

ExitCode run_merge(Session& session, const Options& options) {
  session.say(fmt::format("koine merge {}: reading the recipe and the headers", options.recipe));
  const recipe::Recipe recipe = read_recipe(options);
  const std::filesystem::path target = target_of(recipe);
  const int wanted = options.threads > 0 ? options.threads : default_threads();
  if (options.is_dry) {
    if (!session.is_root()) return ExitCode::done;
    const int processes = std::max(1, comm::launched_processes());
    return run_plan(session, {recipe, target, processes, wanted, memory_limit(options.memory),
                              options.start_over, options.as_json, false});
  }
  comm::Communicator& processes =
      session.open({options.transport, options.backend != "cpu", options.stall});
  const backend::Choice place = choose_together(options.backend, processes);
  for (const std::string& warning : recipe.warnings) session.warn(warning);
  pipeline::Progress progress;
  StatusBeat beat(session, progress);
  LiveProgress live(session, progress);
  int threads = wanted;
  pipeline::MergeWatcher watcher;
  watcher.progress = &progress;
  watcher.note = [&](const std::string& note) {
    live.interrupt_line();
    session.warn(note);
  };
  watcher.planned = [&](const pipeline::Plan& plan, const pipeline::Inputs& inputs,
                        const std::filesystem::path& run, int used) {
    threads = used;
    session.say(where_it_runs(place));
    session.say(fmt::format("  {} tensors in {} shards from {} models, {} to read, {} to write",
                            plan.tensors.size(), plan.shards.size(), inputs.experts.size() + 1,
                            human_bytes(plan.bytes_in), human_bytes(plan.bytes_out)));
    const std::int64_t bytes = plan.bytes_in + plan.bytes_out;
    beat.start({run, used, bytes, plan.matrices, static_cast<std::int64_t>(plan.shards.size()),
                options.cache});
    live.start({bytes, plan.matrices, run});
  };
  pipeline::MergeOptions merge_options{
      wanted, memory_limit(options.memory), options.start_over, options.allow_nonfinite, {}};
  merge_options.origin = {std::filesystem::absolute(options.recipe).string(), options.overrides,
                          options.allow_nonfinite};
  merge_options.cache = options.cache;
  merge_options.gpu = place.gpu ? &*place.gpu : nullptr;
  merge_options.must_use_gpu = options.backend == "cuda";
  const auto outcome = pipeline::merge(recipe, target, merge_options, processes, watcher);
  live.stop();
  for (const std::string& note : outcome.notes) session.warn(note);
  summarise(session, recipe, outcome, threads, !options.cache.empty());
  if (!outcome.was_complete) say_shares(session, progress);
  session.result(options.as_json ? json_of(recipe, outcome) : outcome.folder.string());
  return ExitCode::done;
}

}  // namespace

void add_merge(CLI::App& app, Session& session) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = add_command(
      app, session, "merge", "Merges experts into one checkpoint as a recipe says",
      "mpirun -n 2 koine merge demo/lors.yaml --output runs/demo --set parameters.rank=7");
  add_recipe_options(*command, *options);
  command->add_flag("--dry-run", options->is_dry, "Show what would be done; write nothing");
  add_machine_options(*command, {options->backend, options->transport, options->stall,
                                 options->threads, options->memory, options->cache});
  command->add_flag("--allow-nonfinite", options->allow_nonfinite,
                    "Go on where an input is not finite or the result overflows");
  command->add_flag("--json", options->as_json, "The summary as JSON");
  command->callback([&session, options] {
    session.shares_work = true;
    session.command = [&session, options] { return run_merge(session, *options); };
  });
}

}  // namespace koine::jobs
