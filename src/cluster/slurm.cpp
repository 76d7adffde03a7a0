#include "cluster/slurm.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/process_group.hpp"

namespace koine::cluster {
namespace {

namespace fs = std::filesystem;
constexpr double kPatience = 5, kSubmitPatience = 120;  // seconds
constexpr std::chrono::milliseconds kGrace{500};

/// The first program of that name on PATH; empty where there is none.
std::string find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path file = fs::path(folder.empty() ? "." : folder) / name;
    if (::access(file.c_str(), X_OK) == 0) return file;
  }
  return {};
}

/// A file in memory that takes what a program prints.
class Catch {
 public:
  Catch() : descriptor_(::memfd_create("koine", MFD_CLOEXEC)) {
    if (descriptor_ < 0) throw std::system_error(errno, std::generic_category());
  }
  ~Catch() { ::close(descriptor_); }
  Catch(const Catch&) = delete;
  Catch& operator=(const Catch&) = delete;
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  [[nodiscard]] std::string text() const {
    std::string all(static_cast<std::size_t>(::lseek(descriptor_, 0, SEEK_END)), '\0');
    const auto got = ::pread(descriptor_, all.data(), all.size(), 0);
    all.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    while (all.ends_with('\n')) all.pop_back();
    return all;
  }

 private:
  int descriptor_;
};

struct Printed {
  std::optional<int> code;  ///< nothing: it did not end in time, or could not be started
  std::string output, errors;
};

Printed run(std::vector<std::string> arguments, const fs::path& folder, double seconds) {
  const Catch output, errors;
  try {
    ProcessGroup program({.arguments = std::move(arguments),
                          .environment = environment_of_children(),
                          .folder = folder,
                          .output = output.descriptor(),
                          .errors = errors.descriptor()});
    const auto code = program.wait(seconds);
    if (!code) program.end(kGrace);
    return {code, output.text(), errors.text()};
  } catch (const std::system_error&) {
    return {};
  }
}

/// "12|RUNNING|None" per line.
std::vector<JobState> parse_states(const std::string& text) {
  std::vector<JobState> states;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find('|'), second = line.find('|', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    states.push_back({line.substr(0, first), line.substr(first + 1, second - first - 1),
                      line.substr(second + 1)});
  }
  return states;
}

/// The value after "NAME=" in scontrol's text.
std::string field(const std::string& text, const std::string& name) {
  const auto at = text.find(name + "=");
  if (at == std::string::npos) return {};
  const auto begin = at + name.size() + 1;
  return text.substr(begin, text.find_first_of(" \n", begin) - begin);
}

/// Of a job that has left the queue; Slurm remembers it for some minutes.
JobState ended_state(const std::string& id) {
  const std::string scontrol = find_program("scontrol");
  if (scontrol.empty()) return {id, {}, {}};
  const Printed printed = run({scontrol, "show", "job", id}, ".", kPatience);
  return {id, field(printed.output, "JobState"), field(printed.output, "Reason")};
}

}  // namespace

bool is_live(const JobState& job) {
  static const std::vector<std::string> kEnded{
      "",          "BOOT_FAIL",     "CANCELLED", "COMPLETED", "DEADLINE", "FAILED",
      "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED",   "TIMEOUT"};
  return std::ranges::find(kEnded, job.state) == kEnded.end();
}

std::vector<JobState> job_states(const std::vector<std::string>& ids) {
  const std::string squeue = find_program("squeue");
  if (squeue.empty() || ids.empty()) return {};
  const std::string list = fmt::format("{}", fmt::join(ids, ","));
  const Printed printed =
      run({squeue, "--noheader", "--jobs=" + list, "--format=%i|%T|%r"}, ".", kPatience);
  if (!printed.code) return {};
  std::vector<JobState> states = parse_states(printed.output);  // none where all are forgotten
  for (const std::string& id : ids) {
    const auto is_of = [&id](const JobState& job) {
      return job.id == id || job.id.starts_with(id + "_");
    };
    if (std::ranges::none_of(states, is_of)) states.push_back(ended_state(id));
  }
  return states;
}

SbatchAnswer sbatch(const fs::path& script, const fs::path& folder,
                    const std::vector<std::string>& options, bool is_test) {
  const std::string program = find_program("sbatch");
  if (program.empty()) {
    throw InputError(fmt::format(
        "sbatch: not found on PATH, so nothing was submitted; the script is {}: submit it where "
        "Slurm is, or use --print",
        script.string()));
  }
  std::vector<std::string> arguments{program, "--parsable"};
  if (is_test) arguments.emplace_back("--test-only");
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.push_back(script.string());
  const Printed printed = run(std::move(arguments), folder, kSubmitPatience);
  if (!printed.code) return {1, {}, fmt::format("no answer within {:.0f} s", kSubmitPatience)};
  // "12" or "12;cluster"
  return {*printed.code, printed.output.substr(0, printed.output.find(';')), printed.errors};
}

}  // namespace koine::cluster
