#include "pipeline/sweep_evaluation.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <list>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/stop.hpp"
#include "pipeline/evaluate_command.hpp"
#include "pipeline/evaluation_notes.hpp"
#include "pipeline/export.hpp"
#include "pipeline/merge.hpp"

namespace koine::pipeline {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kDigestDigits = 12;
constexpr std::chrono::milliseconds kNap{20};

/// A command that asks for it (exit code 75) is tried again, after a while that grows.
Evaluated evaluate_patiently(const EvaluationCall& call, int retries) {
  Evaluated answer = evaluate(call);
  std::chrono::milliseconds pause{1000};
  for (int i = 0; i < retries && answer.status == EvaluationStatus::try_again; ++i) {
    const auto end = std::chrono::steady_clock::now() + pause;
    while (std::chrono::steady_clock::now() < end) {
      throw_if_stopped();
      std::this_thread::sleep_for(kNap);
    }
    pause *= 2;
    answer = evaluate(call);
  }
  return answer;
}

class Evaluator {
 public:
  Evaluator(const recipe::Sweep& sweep, const SweepPlaces& places, const SweepOptions& options,
            SweepFolder* folder, comm::Communicator& processes, const SweepWatcher& watcher)
      : sweep_(sweep),
        evaluation_(*sweep.evaluate),
        places_(places),
        options_(options),
        folder_(folder),
        processes_(processes),
        watcher_(watcher),
        notes_(folder, places.home / "points", evaluation_digest(evaluation_)) {}

  void run(const std::vector<EvaluationTask>& tasks) {
    is_used_.assign(static_cast<std::size_t>(evaluation_.workers) + 1, false);
    try {
      for (const EvaluationTask& task : tasks) {
        throw_if_stopped();
        merge_and_start(task, tasks.size());
      }
      while (!running_.empty()) finish_one();
    } catch (...) {
      keep_what_is_known();
      throw;
    }
    if (folder_ == nullptr) return;
    std::error_code none;
    fs::remove_all(places_.work / ".koine" / "scratch", none);
  }

 private:
  struct Running {
    EvaluationTask task;
    std::size_t slot = 0;  ///< where its checkpoint lies
    std::future<Evaluated> answer;
  };

  void merge_and_start(const EvaluationTask& task, std::size_t of) {
    const auto free =
        static_cast<std::size_t>(std::ranges::find(is_used_, false) - is_used_.begin());
    const fs::path slot = places_.work / ".koine" / "scratch" / std::to_string(free);
    fs::path checkpoint;
    try {
      checkpoint = make_checkpoint_with_room(task, slot);
    } catch (const InputError& error) {
      // Among several processes the others are inside the merge: it ends for all.
      if (processes_.size() > 1) throw;
      Evaluated nothing;
      nothing.message = error.what();
      note_answer(task, nothing);
      return;
    }
    if (folder_ == nullptr) return;
    while (running_.size() >= static_cast<std::size_t>(evaluation_.workers)) finish_one();
    is_used_[free] = true;
    start(task, free, checkpoint, of);
  }

  /// As make_checkpoint; where the disk is full and a command may have filled it, once more when it
  /// has ended.
  fs::path make_checkpoint_with_room(const EvaluationTask& task, const fs::path& slot) {
    try {
      return make_checkpoint(task, slot);
    } catch (const StorageError&) {
      if (processes_.size() > 1) throw;        // the others are inside the merge
      const int before = notes_.rooms_made();  // an answer's note may make room too
      while (!running_.empty()) finish_one();
      if (notes_.make_room().empty() && notes_.rooms_made() == before) throw;
    }
    return make_checkpoint(task, slot);
  }

  /// The checkpoint in the format that the command wants. Collective.
  fs::path make_checkpoint(const EvaluationTask& task, const fs::path& slot) {
    if (!task.ready.empty()) return task.ready;
    const bool is_kept = sweep_.keep == recipe::Keep::all && task.kind == "point";
    fs::path run = is_kept ? places_.home / "points" / task.name / kKeptRun : slot / "run";
    if (folder_ != nullptr) {
      std::error_code none;
      fs::remove_all(slot, none);
    }
    processes_.barrier();
    merge_text(task.recipe, places_.work / ".koine" / "recipes", run, options_, processes_,
               *watcher_.progress);
    if (folder_ == nullptr || evaluation_.format == recipe::CheckpointFormat::run) return run;
    ExportOptions options;
    options.run = run.string();
    const bool is_hf = evaluation_.format == recipe::CheckpointFormat::hf;
    options.output = slot / "checkpoint";
    options.format = is_hf ? checkpoint::Naming::hf : checkpoint::Naming::openai;
    (void)export_run(options);
    std::error_code none;
    if (!is_kept) fs::remove_all(run, none);
    return is_hf ? options.output : options.output / "model.pt";
  }

  void start(const EvaluationTask& task, std::size_t slot, const fs::path& checkpoint,
             std::size_t of) {
    EvaluationCall call;
    call.command = evaluation_.command;
    call.folder = fs::absolute(sweep_.file).parent_path();
    call.point_folder = fs::absolute(places_.home / "points" / task.name);
    call.values = task.values;
    call.values.emplace_back("checkpoint", fs::absolute(checkpoint).string());
    call.timeout_seconds = evaluation_.timeout_seconds;
    call.metric = {evaluation_.metric, evaluation_.metric_regex};
    ++started_;
    if (watcher_.say)
      watcher_.say(
          fmt::format("  evaluating {} {} ({} of {})", task.kind, task.name, started_, of));
    running_.push_back(
        {task, slot,
         std::async(std::launch::async, evaluate_patiently, call, evaluation_.retries)});
  }

  /// Waits for whichever command ends first.
  void finish_one() {
    while (!note_finished()) std::this_thread::sleep_for(kNap);
  }

  /// Notes the answers of all commands that have ended; whether there were any.
  bool note_finished() {
    bool found = false;
    for (auto each = running_.begin(); each != running_.end();) {
      if (each->answer.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
        ++each;
        continue;
      }
      Running ended = std::move(*each);
      each = running_.erase(each);
      is_used_[ended.slot] = false;
      found = true;
      note_answer(ended.task, ended.answer.get());
    }
    return found;
  }

  /// The sweep ends: answers that are there are noted, commands that still run are ended.
  void keep_what_is_known() {
    request_stop();  // evaluate() looks for it
    for (Running& each : running_) {
      try {
        note_answer(each.task, each.answer.get());
      } catch (const Error&) {
        // not evaluated, or not to be written: the same command does it again
      }
    }
    running_.clear();
  }

  void note_answer(const EvaluationTask& task, Evaluated given) {
    const Evaluated answer = notes_.note(task, std::move(given));
    if (!watcher_.say) return;
    const std::string what = answer.metric ? fmt::format("{}", *answer.metric) : answer.message;
    watcher_.say(fmt::format("  {} {}: {}", task.kind, task.name, what));
  }

  const recipe::Sweep& sweep_;
  const recipe::Evaluation& evaluation_;
  SweepPlaces places_;
  const SweepOptions& options_;
  SweepFolder* folder_;
  comm::Communicator& processes_;
  const SweepWatcher& watcher_;
  EvaluationNotes notes_;
  std::list<Running> running_;
  std::vector<bool> is_used_;  ///< by slot
  std::size_t started_ = 0;
};

}  // namespace

std::string evaluation_digest(const recipe::Evaluation& e) {
  return sha256_of(fmt::format("{}\n{}\n{}\n{}\n", e.command, e.metric, e.metric_regex,
                               static_cast<int>(e.format)))
      .substr(0, kDigestDigits);
}

// NOLINTNEXTLINE(readability-function-size): what an evaluation needs, each by its own name
void evaluate_tasks(const recipe::Sweep& sweep, const std::vector<EvaluationTask>& tasks,
                    const SweepPlaces& places, const SweepOptions& options, SweepFolder* folder,
                    comm::Communicator& processes, const SweepWatcher& watcher) {
  Evaluator(sweep, places, options, folder, processes, watcher).run(tasks);
}

// NOLINTNEXTLINE(readability-function-size): as merge, and the text
void merge_text(const std::string& recipe, const fs::path& folder, const fs::path& target,
                const SweepOptions& options, comm::Communicator& processes, Progress& progress) {
  // A name for each text: another machine may still see what an older file of that name held.
  const fs::path file = folder / (sha256_of(recipe).substr(0, kDigestDigits) + ".yaml");
  if (processes.is_root()) {
    make_folders(folder);
    write_file_atomically(file, recipe);
  }
  processes.barrier();
  const recipe::Recipe read = recipe::read(file.string(), {{}, target.string()});
  MergeOptions merge_options{options.threads, options.memory, false, false, {}};
  merge_options.origin = {fs::absolute(file).string(), {}, false};
  merge_options.cache = options.cache;
  MergeWatcher watcher;
  watcher.progress = &progress;
  (void)merge(read, target, merge_options, processes, watcher);
}

}  // namespace koine::pipeline
