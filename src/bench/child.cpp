#include "bench/child.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <string_view>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/stop.hpp"

namespace koine::bench {
namespace {

using Clock = std::chrono::steady_clock;

/// File actions of one spawn.
class Redirections {
 public:
  Redirections() { ::posix_spawn_file_actions_init(&actions_); }
  ~Redirections() { ::posix_spawn_file_actions_destroy(&actions_); }
  Redirections(const Redirections&) = delete;
  Redirections& operator=(const Redirections&) = delete;
  void send(int descriptor, const std::filesystem::path& path) {
    ::posix_spawn_file_actions_addopen(&actions_, descriptor, path.c_str(),
                                       O_WRONLY | O_CREAT | O_TRUNC, 0600);
  }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const noexcept { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

/// This process' environment without what a launcher (mpirun, srun) left in it: the child is no
/// process of that job.
std::vector<char*> own_environment() {
  constexpr std::array<std::string_view, 4> kLaunchers{"OMPI_COMM_", "PMIX_", "PMI_", "SLURM_"};
  std::vector<char*> kept;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (std::none_of(kLaunchers.begin(), kLaunchers.end(),
                     [text](std::string_view prefix) { return text.starts_with(prefix); }))
      kept.push_back(*entry);
  }
  kept.push_back(nullptr);
  return kept;
}

pid_t start(const std::vector<std::string>& command, const Redirections& redirections) {
  std::vector<std::string> words = command;
  std::vector<char*> arguments, environment = own_environment();
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int code = ::posix_spawn(&child, arguments[0], redirections.get(), nullptr,
                                 arguments.data(), environment.data());
  if (code != 0) {
    throw Error(ExitCode::our_fault,
                fmt::format("starting {} failed: {}", command[0], std::strerror(code)));
  }
  return child;
}

/// Waits in short naps, so that a stop reaches the child within a moment.
int wait_for(pid_t child) {
  bool is_told = false;
  for (;;) {
    int status = 0;
    const pid_t found = ::waitpid(child, &status, WNOHANG);
    if (found == child) return status;
    if (found < 0 && errno != EINTR) {
      throw Error(ExitCode::our_fault,
                  fmt::format("waiting for a process failed: {}", std::strerror(errno)));
    }
    if (stop_requested() && !is_told) {
      ::kill(child, SIGTERM);
      is_told = true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const std::size_t start = text.rfind('\n');
  return start == std::string::npos ? text : text.substr(start + 1);
}

}  // namespace

ChildResult run_child(const std::vector<std::string>& command,
                      const std::filesystem::path& folder) {
  constexpr std::int64_t kMostText = std::int64_t{1} << 24;
  throw_if_stopped();
  Redirections redirections;
  redirections.send(STDOUT_FILENO, folder / "child.out");
  redirections.send(STDERR_FILENO, folder / "child.err");
  const auto begin = Clock::now();
  const int status = wait_for(start(command, redirections));
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  throw_if_stopped();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    const bool is_known = WIFEXITED(status) && WEXITSTATUS(status) == 6;
    throw Error(is_known ? ExitCode::storage : ExitCode::our_fault,
                fmt::format("`{}` failed: {}", fmt::join(command, " "),
                            last_line(read_text_file(folder / "child.err", kMostText))));
  }
  return {seconds, read_text_file(folder / "child.out", kMostText)};
}

}  // namespace koine::bench
