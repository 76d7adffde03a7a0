#include "core/process_group.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/process_table.hpp"
#include "core/stop.hpp"

namespace koine {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int kSignalled = 128;            // what a shell adds to a signal's number
constexpr milliseconds kDeathTakes{2000};  // after SIGKILL; more only where the system hangs

/// Sleeps from 1 to 20 ms, so short that a program's time is right within some 0.2 %.
class Naps {
 public:
  void sleep() const {
    const auto share = std::chrono::duration_cast<milliseconds>(Clock::now() - begin_) / 500;
    std::this_thread::sleep_for(std::clamp(share, milliseconds(1), milliseconds(20)));
  }
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(Clock::now() - begin_).count();
  }

 private:
  Clock::time_point begin_ = Clock::now();
};

}  // namespace

ProcessGroup::Watch::Watch(pid_t leader) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return;
  lifeline_ = ends[1];
  const Program watch{.arguments = {"/bin/sh", "-c", R"(read -r line; kill -s KILL -- "-$1")",
                                    "koine-watch", std::to_string(leader)},
                      .environment = {},
                      .folder = "/",
                      .input = ends[0]};
  try {
    process_ = spawn(watch);
  } catch (const std::system_error&) {
    process_ = 0;  // the program runs unwatched
  }
  ::close(ends[0]);
}

ProcessGroup::Watch::~Watch() {
  if (process_ > 0) {
    ::kill(process_, SIGKILL);
    while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  if (lifeline_ >= 0) ::close(lifeline_);
}

ProcessGroup::ProcessGroup(const Program& program) : leader_(spawn(program)), watch_(leader_) {}

ProcessGroup::~ProcessGroup() {
  if (!is_gone()) end(milliseconds(0));
}

void ProcessGroup::reap() {
  if (code_) return;
  int status = 0;
  const pid_t found = ::waitpid(leader_, &status, WNOHANG);
  if (found < 0 && errno == ECHILD) code_ = kSignalled + SIGKILL;  // another part took its status
  if (found == leader_)
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : kSignalled + WTERMSIG(status);
}

std::optional<int> ProcessGroup::wait(double seconds) {
  for (const Naps naps;; naps.sleep()) {
    reap();
    if (code_ || stop_requested()) return code_;
    if (seconds > 0 && naps.seconds() >= seconds) return code_;
  }
}

/// Once it is gone, the system may give the group's number to another.
bool ProcessGroup::is_gone() {
  reap();
  if (code_ && !is_gone_) is_gone_ = !is_group_alive(leader_);
  return is_gone_;
}

bool ProcessGroup::is_gone_within(milliseconds time) {
  for (const Naps naps; !is_gone(); naps.sleep()) {
    if (naps.seconds() >= std::chrono::duration<double>(time).count()) return false;
  }
  return true;
}

int ProcessGroup::end(milliseconds grace) {
  if (!is_gone()) {
    ::kill(-leader_, SIGTERM);
    if (!is_gone_within(grace)) {
      ::kill(-leader_, SIGKILL);
      (void)is_gone_within(kDeathTakes);
    }
  }
  return code_.value_or(kSignalled + SIGKILL);
}

}  // namespace koine
