#include "pipeline/status.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "cluster/slurm.hpp"
#include "cluster/submission.hpp"
#include "commands.hpp"
#include "core/stop.hpp"
#include "status_view.hpp"

namespace koine::jobs {
namespace {

using State = pipeline::RunStatus::State;
using namespace std::chrono_literals;
constexpr auto kRedraw = 2s, kRepeat = 30s;

struct Options {
  std::string folder;
  bool watches = false, as_json = false, with_code = false, only_done = false;
};

StatusView look(const std::string& folder) {
  StatusView view{
      folder, pipeline::read_status(folder), cluster::read_submission(folder), {}, false};
  std::vector<std::string> ids;
  if (view.submission) {
    for (const cluster::SubmittedJob& job : view.submission->jobs)
      if (!job.id.empty()) ids.push_back(job.id);
  }
  view.jobs = cluster::job_states(ids);
  using pipeline::RunStatus;
  if (!view.status.grows_in.empty()) {  // --fresh: how the run goes that will take its place
    const RunStatus next = pipeline::read_status(view.status.grows_in);
    if (next.state == State::running || next.state == State::silent) view.status = next;
  }
  const bool has_begun = view.status.state == State::running || view.status.state == State::silent;
  const bool is_run_complete = view.status.state == State::complete && !view.status.is_sweep;
  view.waits = !has_begun && !is_run_complete && std::ranges::any_of(view.jobs, cluster::is_live);
  return view;
}

bool is_over(const StatusView& view) {
  if (view.waits) return false;
  return view.status.state == State::complete || view.status.state == State::stopped ||
         view.status.state == State::failed;
}

/// Draws over what it drew before on a terminal, elsewhere one text after the other.
StatusView watch(const Session& session, const Options& options) {
  const bool is_terminal = ::isatty(STDOUT_FILENO) != 0;
  std::size_t lines = 0;
  for (;;) {
    StatusView view = look(options.folder);
    const std::string text = status_text(view);
    session.result(lines > 0 ? fmt::format("\x1b[{}A\x1b[J{}", lines, text) : text);
    if (is_terminal) lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
    if (is_over(view)) return view;
    const auto end = std::chrono::steady_clock::now() + (is_terminal ? kRedraw : kRepeat);
    while (std::chrono::steady_clock::now() < end) {
      throw_if_stopped();
      std::this_thread::sleep_for(100ms);
    }
  }
}

ExitCode run_status(const Session& session, const Options& options) {
  if (options.only_done) {
    const pipeline::RunStatus status = pipeline::read_status(options.folder);
    session.result(std::to_string(status.steps));
    return ExitCode::done;
  }
  StatusView view;
  if (options.watches) {
    view = watch(session, options);
  } else {
    view = look(options.folder);
    session.result(options.as_json ? status_json(view) : status_text(view));
  }
  for (const std::string& command : next_commands(view)) session.next(command);
  return options.with_code ? view.status.code() : ExitCode::done;
}

}  // namespace

void add_status(CLI::App& app, Session& session) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = add_command(
      app, session, "status", "Says how a run or sweep goes, on any machine that sees its folder",
      "koine status runs/demo --watch");
  command->add_option("RUN", options->folder, "A run's or a sweep's folder")->required();
  CLI::Option* watch = command->add_flag("--watch", options->watches, "Go on until it has ended");
  command->add_flag("--exit-code", options->with_code,
                    "End with 0 where it is complete, 75 where it can go on, else with the code "
                    "of its last fault");
  CLI::Option* done =
      command->add_flag("--done", options->only_done,
                        "Print only a number that grows with all that is finished and kept");
  command->add_flag("--json", options->as_json, "For machines")->excludes(watch)->excludes(done);
  command->callback([&session, options] {
    session.command = [&session, options] { return run_status(session, *options); };
  });
}

}  // namespace koine::jobs
