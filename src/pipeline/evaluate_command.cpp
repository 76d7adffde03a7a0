#include "pipeline/evaluate_command.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/process_group.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "pipeline/metric_regex.hpp"
#include "pipeline/output_lines.hpp"

namespace koine::pipeline {
namespace {

using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr const char* kOutput = "stdout.txt";
constexpr const char* kErrors = "stderr.txt";
constexpr const char* kResult = "result.json";
constexpr int kTryAgain = 75;  // EX_TEMPFAIL
constexpr std::size_t kLongestMessage = 1000;
constexpr std::int64_t kMostErrors = std::int64_t{1} << 16;

/// The files of one run.
struct RunFiles {
  fs::path folder;
  File output, errors;
};

RunFiles fresh_files(const fs::path& folder) {
  make_folders(folder);
  for (const char* name : {kOutput, kErrors, kResult}) {
    std::error_code code;
    fs::remove_all(folder / name, code);
    if (code) {
      throw StorageError(fmt::format("{}: removing what an earlier run left failed: {}",
                                     (folder / name).string(), code.message()));
    }
  }
  return {folder, File::create(folder / kOutput), File::create(folder / kErrors)};
}

std::vector<std::string> environment_of(const CommandValues& values, const fs::path& folder) {
  std::vector<std::string> environment = environment_of_children();
  const auto put = [&environment](const std::string& entry) {
    const std::string name = entry.substr(0, entry.find('=') + 1);
    std::erase_if(environment, [&name](const auto& old) { return old.starts_with(name); });
    environment.push_back(entry);
  };
  for (const auto& [name, value] : values) put(environment_entry(name, value));
  put(environment_entry("point_dir", folder.string()));
  return environment;
}

bool is_short_of_room(const std::error_code& code) {
  constexpr std::array<int, 4> kPassing{EAGAIN, ENOMEM, EMFILE, ENFILE};
  return std::find(kPassing.begin(), kPassing.end(), code.value()) != kPassing.end();
}

/// What ends a job may reach the command before it reaches this process: a code that a stop brought
/// about says nothing of the point.
void throw_if_stopped_too(int exit_code) {
  constexpr std::array<int, 4> kOfJobs{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
  constexpr std::chrono::milliseconds kNap{50};
  constexpr int kNaps = 20;
  const bool may_be_stopped = std::ranges::find(kOfJobs, exit_code - 128) != kOfJobs.end();
  for (int nap = 0; may_be_stopped && nap < kNaps; ++nap) {
    throw_if_stopped();
    std::this_thread::sleep_for(kNap);
  }
  throw_if_stopped();
}

/// Runs the program to its end, its own or ours.
void run(const Program& program, const EvaluationCall& call, Evaluated& evaluated) {
  const auto begin = Clock::now();
  ProcessGroup group(program);
  const std::optional<int> code = group.wait(call.timeout_seconds);
  evaluated.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  const int last = group.end(call.grace);
  evaluated.exit_code = code.value_or(last);
  if (code != 0) throw_if_stopped_too(code.value_or(0));
  evaluated.status = !code               ? EvaluationStatus::timed_out
                     : code == 0         ? EvaluationStatus::done
                     : code == kTryAgain ? EvaluationStatus::try_again
                                         : EvaluationStatus::failed;
}

/// The same; false, with a message, where the system had no room for a process.
bool found_room(const Program& program, const EvaluationCall& call, Evaluated& evaluated) {
  try {
    run(program, call, evaluated);
    return true;
  } catch (const std::system_error& error) {
    evaluated.status = EvaluationStatus::try_again;
    evaluated.message = fmt::format("the evaluation could not be started in {}: {}",
                                    program.folder.string(), error.code().message());
    if (!is_short_of_room(error.code())) throw InputError(evaluated.message);
    return false;
  }
}

/// Why a run is not `done`, in a line.
std::string message_of(const Evaluated& run, const EvaluationCall& call, const RunFiles& files) {
  const std::string where =
      "its output lies in " + one_line(files.folder.string(), kLongestMessage);
  if (run.status == EvaluationStatus::no_answer) {
    return fmt::format("the evaluation gave no metric: {}; {}",
                       one_line(run.message, kLongestMessage), where);
  }
  std::string reason;
  if (run.status == EvaluationStatus::timed_out)
    reason = fmt::format("did not end within {}", human_seconds(call.timeout_seconds));
  else if (run.status == EvaluationStatus::try_again)
    reason = fmt::format("asked to be tried again (exit code {})", run.exit_code);
  else if (run.exit_code > 128)
    reason = fmt::format("ended with exit code {} (signal {})", run.exit_code, run.exit_code - 128);
  else
    reason = fmt::format("ended with exit code {}", run.exit_code);
  const std::string said = last_line(read_tail(files.errors, kMostErrors));
  return fmt::format("the evaluation {}, {}; {}", reason,
                     said.empty() ? "without a word on stderr" : "saying \"" + said + "\"", where);
}

/// What the shell is to run. @throws InputError
Program program_of(const EvaluationCall& call) {
  if (!call.metric.regex.empty()) check_metric_regex(call.metric.regex);
  const fs::path folder = call.folder.empty() ? "." : call.folder;
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) {
    throw InputError(fmt::format("{}: is no folder, so the evaluation command cannot run there",
                                 folder.string()));
  }
  const fs::path point_folder = fs::absolute(call.point_folder);
  CommandValues values = call.values;
  values.emplace_back("result", (point_folder / kResult).string());
  return {.arguments = {"/bin/sh", "-c", expand_command(call.command, values)},
          .environment = environment_of(values, point_folder),
          .folder = folder};
}

}  // namespace

Evaluated evaluate(const EvaluationCall& call) {
  throw_if_stopped();
  Program program = program_of(call);
  const RunFiles files = fresh_files(fs::absolute(call.point_folder));
  program.output = files.output.descriptor();
  program.errors = files.errors.descriptor();
  Evaluated evaluated;
  if (!found_room(program, call, evaluated)) return evaluated;
  if (evaluated.status == EvaluationStatus::done) {
    static_cast<Answer&>(evaluated) =
        read_answer(files.folder / kResult, files.output, call.metric);
    if (!evaluated.metric) evaluated.status = EvaluationStatus::no_answer;
  }
  if (evaluated.status != EvaluationStatus::done)
    evaluated.message = message_of(evaluated, call, files);
  return evaluated;
}

bool remove_leftovers(const fs::path& point_folder, std::string_view kept) {
  std::error_code none;
  std::uintmax_t removed = 0;
  for (const auto& entry : fs::directory_iterator(point_folder, none)) {
    const std::string name = entry.path().filename();
    if (name == kOutput || name == kErrors || name == kept) continue;
    const std::uintmax_t count = fs::remove_all(entry.path(), none);
    if (!none) removed += count;
  }
  return removed > 0;
}

}  // namespace koine::pipeline
