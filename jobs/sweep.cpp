#include "pipeline/sweep.hpp"

#include <charconv>
#include <memory>

#include <fmt/format.h>

#include "commands.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "live_progress.hpp"
#include "recipe_options.hpp"
#include "status_beat.hpp"

namespace koine::jobs {
namespace {

struct Options {
  std::string sweep, output, memory, cache, only, part, backend = "auto", transport = "auto";
  double stall = 60;
  std::vector<std::string> overrides;
  int threads = 0;
  bool as_json = false;
};

/// "3/8". @throws InputError
pipeline::SweepPart part_of(const std::string& text) {
  if (text.empty()) return {};
  constexpr int kMost = 100'000;
  pipeline::SweepPart part;
  const char* end = text.data() + text.size();
  const auto number = std::from_chars(text.data(), end, part.number);
  const bool has_slash = number.ec == std::errc() && number.ptr != end && *number.ptr == '/';
  const auto of = std::from_chars(has_slash ? number.ptr + 1 : end, end, part.of);
  if (has_slash && of.ec == std::errc() && of.ptr == end && part.number >= 1 &&
      part.number <= part.of && part.of <= kMost)
    return part;
  throw InputError(fmt::format("--part {}: expected K/N with K from 1 to N, such as 3/8", text));
}

void summarise(const Session& session, const pipeline::SweepOutcome& outcome) {
  const std::string folder = outcome.folder.string();
  session.say(fmt::format("swept {} points, {} distinct: {} new, {} evaluated, {} failed",
                          outcome.points, outcome.distinct, outcome.computed, outcome.evaluated,
                          outcome.failed));
  session.say(fmt::format("  factors {} made, {} from the cache", outcome.matrices,
                          outcome.matrices_found));
  session.say(fmt::format("  wrote   {}: results.csv, results.json, report.html{}; took {}", folder,
                          outcome.best ? ", best.yaml" : "", human_seconds(outcome.seconds)));
  if (outcome.best) {
    session.say(fmt::format("  best    point {}: {} ({})", *outcome.best,
                            outcome.best_metric.value_or(0), outcome.best_settings));
    session.next(fmt::format("koine merge {}/best.yaml --output merged", folder));
  } else {
    session.next(fmt::format("koine export '{}#0' --format hf --output point-0", folder));
  }
  if (outcome.failed > 0)
    session.warn(
        fmt::format("{} of the evaluations failed: results.csv names them, {}/points has "
                    "what they printed; the same command with --only failed tries them again",
                    outcome.failed, folder));
}

std::string json_of(const pipeline::SweepOutcome& outcome) {
  return Json{{"schema", "koine-sweep-run-1"},
              {"path", outcome.folder.string()},
              {"points", outcome.points},
              {"distinct", outcome.distinct},
              {"computed", outcome.computed},
              {"evaluated", outcome.evaluated},
              {"failed", outcome.failed},
              {"matrices_factorised", outcome.matrices},
              {"matrices_found", outcome.matrices_found},
              {"best", outcome.best ? Json(*outcome.best) : Json()},
              {"best_metric", outcome.best_metric ? Json(*outcome.best_metric) : Json()},
              {"seconds", outcome.seconds}}
      .dump();
}

ExitCode run_sweep(Session& session, const Options& options) {
  session.say(
      fmt::format("koine sweep {}: reading the sweep, its recipe and the headers", options.sweep));
  if (options.backend == "cuda")
    throw DeviceError("a sweep runs on the CPU only; use --backend cpu or leave --backend out");
  const recipe::Sweep sweep =
      recipe::read_sweep(options.sweep, {options.overrides, options.output});
  const std::filesystem::path folder = sweep_folder_of(sweep);
  comm::Communicator& processes =
      session.open({options.transport, options.backend != "cpu", options.stall});
  for (const std::string& warning : sweep.warnings) session.warn(warning);
  pipeline::Progress progress;
  pipeline::SweepWatcher watcher;
  watcher.progress = &progress;
  watcher.say = [&](const std::string& line) { session.say(line); };
  watcher.note = [&](const std::string& note) { session.warn(note); };
  StatusBeat beat(session, progress);
  LiveProgress live(session, progress);
  const int threads = options.threads > 0 ? options.threads : default_threads();
  watcher.opened = [&](const std::filesystem::path& work, std::int64_t points) {
    std::filesystem::path cache = options.cache;
    if (cache.empty()) cache = folder / ".koine" / "cache";
    beat.start({work, threads, 0, 0, points, cache});
  };
  watcher.reading = [&](const pipeline::Plan& plan, const std::filesystem::path& run) {
    live.start({plan.bytes_in, plan.matrices, run});
  };
  watcher.reading_over = [&] { live.stop(); };
  const pipeline::SweepOptions sweep_options{threads,
                                             memory_limit(options.memory),
                                             options.cache,
                                             options.overrides,
                                             options.only == "failed",
                                             options.only == "statistics",
                                             part_of(options.part)};
  const auto outcome = pipeline::sweep(sweep, folder, sweep_options, processes, watcher);
  for (const std::string& note : outcome.notes) session.warn(note);
  if (sweep_options.part.is_whole())
    summarise(session, outcome);
  else
    session.say(
        fmt::format("part {} of the sweep: {} evaluated, {} failed; koine sweep {} gathers "
                    "what all parts found",
                    options.part, outcome.evaluated, outcome.failed, options.sweep));
  session.result(options.as_json ? json_of(outcome) : folder.string());
  if (sweep.evaluate && sweep_options.only_statistics) {
    note_ending(session, ExitCode::interrupted,
                "the statistics are made, nothing is evaluated yet");
    session.work.clear();  // that is how it ended
  }
  return outcome.failed > 0 ? ExitCode::input : ExitCode::done;
}

}  // namespace

void add_sweep(CLI::App& app, Session& session) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = add_command(app, session, "sweep",
                                  "Merges with many settings at the price of few, and ranks them",
                                  "mpirun -n 2 koine sweep sweep.yaml --output runs/sweep");
  command->add_option("SWEEP", options->sweep, "The sweep (YAML)")->required();
  command->add_option("-o,--output", options->output, "The sweep's folder; overrides output.path")
      ->option_text("DIR");
  command
      ->add_option("--set", options->overrides,
                   "Overrides a key of the recipe: svd.mode=fast (repeatable)")
      ->option_text("KEY=VALUE")
      ->allow_extra_args(false);
  command
      ->add_option("--only", options->only,
                   "failed: evaluate again what failed, nothing else; statistics: evaluate nothing")
      ->option_text("WHAT")
      ->check(CLI::IsMember({"failed", "statistics"}));
  command
      ->add_option(
          "--part", options->part,
          "One of several jobs that evaluate at once: 3/8 is the third of eight; the whole "
          "sweep then gathers what they found")
      ->option_text("K/N");
  add_machine_options(*command, {options->backend, options->transport, options->stall,
                                 options->threads, options->memory, options->cache});
  command->add_flag("--json", options->as_json, "The summary as JSON");
  command->callback([&session, options] {
    session.shares_work = true;
    session.command = [&session, options] { return run_sweep(session, *options); };
  });
}

}  // namespace koine::jobs
