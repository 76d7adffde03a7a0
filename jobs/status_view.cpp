#include "status_view.hpp"

#include <algorithm>
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "core/json.hpp"
#include "core/text.hpp"

namespace koine::jobs {
namespace {

using pipeline::RunStatus;
using State = RunStatus::State;

const char* word(State state) {
  switch (state) {
    case State::waiting:
      return "waiting";
    case State::running:
      return "running";
    case State::silent:
      return "silent";
    case State::stopped:
      return "stopped";
    case State::failed:
      return "failed";
    default:
      return "complete";
  }
}

std::string headline(const StatusView& view) {
  const RunStatus& status = view.status;
  const std::string at = status.attempt ? who(*status.attempt) : "";
  const std::string time = human_seconds(status.seconds());
  if (view.waits) return "waiting for its jobs";
  switch (status.state) {
    case State::waiting:
      return "has not begun";
    case State::running:
      return fmt::format("running ({}), {}", at, time);
    case State::silent:
      return fmt::format("no sign of life for {} ({}): stopped, or hung",
                         human_seconds(static_cast<double>(status.silence)), at);
    case State::stopped:
      return status.ending
                 ? fmt::format("stopped early after {}, can go on", time)
                 : fmt::format("ended without a word after {} (killed?), can go on", time);
    case State::failed:
      return fmt::format("failed with exit code {}", static_cast<int>(status.code()));
    default:
      return "complete";
  }
}

double share_of(const RunStatus& status) {
  if (status.state == State::complete) return 1;
  if (status.is_sweep || !status.attempt || status.attempt->bytes == 0) {
    return status.total > 0 ? static_cast<double>(status.done) / static_cast<double>(status.total)
                            : 0;
  }
  return static_cast<double>(status.bytes()) / static_cast<double>(status.attempt->bytes);
}

std::string progress_line(const RunStatus& status) {
  const char* unit = status.is_sweep ? "points" : "shards";
  const std::string total = status.total > 0 ? fmt::format(" of {}", status.total) : "";
  std::string line = fmt::format("  progress  {:.0f} %: {}{} {}",
                                 100 * std::min(1.0, share_of(status)), status.done, total, unit);
  if (status.is_sweep && status.evaluated > 0)
    line += fmt::format(", {} evaluated", status.evaluated);
  if (status.unsuccessful > 0) line += fmt::format(", {} without success", status.unsuccessful);
  if (!status.is_sweep && status.attempt && status.state != State::complete) {
    line += fmt::format(", {} of {}, {} of {} matrices", human_bytes(status.bytes()),
                        human_bytes(status.attempt->bytes), status.matrices(),
                        status.attempt->matrices);
  }
  return line + "\n";
}

std::string rate_line(const RunStatus& status) {
  const double seconds = status.seconds(), share = share_of(status);
  if (status.state != State::running || seconds <= 0 || share <= 0) return {};
  const std::string left = human_seconds(seconds * (1 - std::min(1.0, share)) / share);
  if (status.is_sweep) return fmt::format("  left      about {}\n", left);
  const double rate = static_cast<double>(status.bytes()) / seconds;
  return fmt::format("  rate      {}/s, about {} left\n",
                     human_bytes(static_cast<std::int64_t>(rate)), left);
}

std::string rank_lines(const RunStatus& status) {
  std::string lines;
  if (status.state != State::running && status.state != State::silent) return lines;
  for (const pipeline::Beat& beat : status.beats) {
    const auto age = std::max<std::int64_t>(0, std::time(nullptr) - beat.time);
    lines +=
        fmt::format("  rank {:<4} {}, process {}: {}, {} tensors, {} matrices, heard of {} ago\n",
                    beat.rank, beat.host, beat.process, human_bytes(beat.bytes), beat.tensors,
                    beat.matrices, human_seconds(static_cast<double>(age)));
  }
  return lines;
}

std::string time_text(double seconds) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::localtime(static_cast<std::time_t>(seconds)));
}

std::string ending_line(const RunStatus& status) {
  if (!status.ending || status.ending->message.empty() || status.state == State::complete)
    return {};
  return fmt::format("  last      {}, rank {}: {}\n", time_text(status.ending->time),
                     status.ending->rank, status.ending->message);
}

std::string job_lines(const StatusView& view) {
  std::string lines;
  if (!view.submission) return lines;
  for (const cluster::SubmittedJob& job : view.submission->jobs) {
    if (job.id.empty()) {
      lines += fmt::format("  slurm     {}: written, not submitted: {}\n", job.purpose, job.script);
      continue;
    }
    bool is_known = false;
    for (const cluster::JobState& state : view.jobs) {
      if (state.id != job.id && !state.id.starts_with(job.id + "_")) continue;
      is_known = true;
      const bool has_reason = !state.reason.empty() && state.reason != "None";
      lines += fmt::format("  slurm     job {} ({}): {}{}\n", state.id, job.purpose,
                           state.state.empty() ? "no longer known" : state.state,
                           has_reason ? ", " + state.reason : "");
    }
    if (!is_known)
      lines +=
          fmt::format("  slurm     job {} ({}): Slurm does not answer here\n", job.id, job.purpose);
  }
  return lines;
}

/// The command, from the folder in which it was typed.
std::string in_folder(const std::string& folder, const std::string& command) {
  std::error_code none;
  const bool is_here = folder.empty() || folder == std::filesystem::current_path(none).string();
  return is_here ? command : fmt::format("cd {} && {}", shell_word(folder), command);
}

}  // namespace

std::string status_text(const StatusView& view) {
  const RunStatus& status = view.status;
  std::string text = fmt::format("{}: {}\n", view.folder, headline(view));
  if (status.state != State::waiting) text += progress_line(status) + rate_line(status);
  text += rank_lines(status) + ending_line(status);
  if (status.state != State::complete || view.waits) text += job_lines(view);
  if (!status.grows_in.empty()) {
    text += fmt::format(
        "  fresh     another run grows in {0} to take this one's place: koine status {0}\n",
        shell_word(status.grows_in.string()));
  }
  text.pop_back();
  return text;
}

std::string status_json(const StatusView& view) {
  const RunStatus& status = view.status;
  Json ranks = Json::array(), jobs = Json::array();
  for (const pipeline::Beat& beat : status.beats) {
    ranks.push_back({{"rank", beat.rank},
                     {"host", beat.host},
                     {"process", beat.process},
                     {"time", beat.time},
                     {"bytes", beat.bytes},
                     {"tensors", beat.tensors},
                     {"matrices", beat.matrices}});
  }
  for (const cluster::JobState& job : view.jobs)
    jobs.push_back({{"id", job.id}, {"state", job.state}, {"reason", job.reason}});
  const Json ending = status.ending ? Json{{"rank", status.ending->rank},
                                           {"time", status.ending->time},
                                           {"code", status.ending->code},
                                           {"message", status.ending->message}}
                                    : Json();
  return Json{{"schema", "koine-status-1"},
              {"path", view.folder},
              {"kind", status.is_sweep ? "sweep" : "run"},
              {"state", view.waits ? "waiting" : word(status.state)},
              {"exit_code", static_cast<int>(status.code())},
              {"share", std::min(1.0, share_of(status))},
              {"done", status.done},
              {"total", status.total},
              {"evaluated", status.evaluated},
              {"failed", status.unsuccessful},
              {"bytes", status.bytes()},
              {"bytes_total", status.attempt ? status.attempt->bytes : 0},
              {"matrices", status.matrices()},
              {"matrices_total", status.attempt ? status.attempt->matrices : 0},
              {"seconds", status.seconds()},
              {"silence_seconds", status.silence},
              {"host", status.attempt ? status.attempt->host : ""},
              {"job", status.attempt ? status.attempt->job : ""},
              {"command", status.attempt ? status.attempt->command : ""},
              {"folder", status.attempt ? status.attempt->folder : ""},
              {"ending", ending},
              {"ranks", ranks},
              {"jobs", jobs}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<std::string> next_commands(const StatusView& view) {
  const std::string folder = shell_word(view.folder);
  if (view.waits) return {fmt::format("koine status {} --watch", folder)};
  switch (view.status.state) {
    case State::running:
      return {fmt::format("koine status {} --watch", folder)};
    case State::complete:
      if (view.status.is_sweep)
        return {fmt::format("koine export {} --format hf --output point-0",
                            shell_word(view.folder + "#0"))};
      return {fmt::format("koine verify {}", folder),
              fmt::format("koine export {0} --format hf --output {0}-hf", folder)};
    default:
      if (view.submission) return {in_folder(view.submission->folder, view.submission->command)};
      if (view.status.attempt)
        return {in_folder(view.status.attempt->folder, view.status.attempt->command)};
      return {};
  }
}

}  // namespace koine::jobs
