#include "session.hpp"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "backend/cuda_library.hpp"
#include "core/error.hpp"
#include "status_beat.hpp"

namespace koine::jobs {
namespace {

void to_stderr(const std::string& line) {
  const std::string text = line + "\n";  // one write, so that lines of several processes do not mix
  std::fwrite(text.data(), 1, text.size(), stderr);
}

comm::Transport transport_of(const std::string& word) {
  static const std::map<std::string, comm::Transport> kWords{{"auto", comm::Transport::automatic},
                                                             {"nccl", comm::Transport::nccl},
                                                             {"mpi", comm::Transport::mpi},
                                                             {"self", comm::Transport::self}};
  return kWords.at(word);
}

/// libkoine_cuda.so finds the CUDA runtime by a path of its own; once it is open, NCCL's side finds
/// the same. Whoever needs it says what is missing.
void open_cuda_first() {
  try {
    (void)backend::CudaLibrary::open();
  } catch (const DeviceError&) {
  }
}

std::string paint(bool with_color, const char* code, const char* word) {
  return with_color ? fmt::format("\x1b[{}m{}\x1b[0m", code, word) : word;
}

}  // namespace

comm::Communicator& Session::open(const Meeting& meeting) {
  const comm::Transport wanted = transport_of(meeting.transport);
  const auto say_last = [this](const std::string& message) {
    fail(message);
    note_ending(*this, ExitCode::communication, message);
  };
  const comm::StallLimit stall{meeting.stall_seconds, say_last};
  processes = comm::make(wanted, stall);
  std::string why;
  if (wanted == comm::Transport::nccl ||
      (wanted == comm::Transport::automatic && meeting.may_use_gpus && processes->size() > 1)) {
    open_cuda_first();
    why = comm::use_gpus(processes, wanted, stall);
  }
  detail(fmt::format("  transport {}{}{}", processes->name(), why.empty() ? "" : ": ", why));
  return *processes;
}

bool Session::is_root() const {
  return processes ? processes->is_root() : comm::launched_rank().value == 0;
}

bool Session::use_color() const {
  if (color != "auto") return color == "always";
  const char* term = std::getenv("TERM");
  const char* no_color = std::getenv("NO_COLOR");
  const bool is_refused = no_color != nullptr && *no_color != '\0';
  return !is_refused && (term == nullptr || std::strcmp(term, "dumb") != 0) &&
         ::isatty(STDERR_FILENO) != 0;
}

void Session::say(const std::string& line) const {
  if (!is_quiet && is_root()) to_stderr(line);
}

void Session::detail(const std::string& line) const {
  if (verbosity > 0) say(line);
}

void Session::warn(const std::string& line) const {
  if (is_root()) to_stderr(paint(use_color(), "33", "warning:") + " " + line);
}

void Session::next(const std::string& line) const {
  say(paint(use_color(), "32", "next:") + " " + line);
}

void Session::result(const std::string& text) const {
  if (!is_root()) return;
  const bool is_written =
      std::fputs((text + "\n").c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  if (is_written || errno == EPIPE) return;  // a reader that has seen enough is no fault
  throw StorageError(
      fmt::format("standard output: writing failed: {}; free some space, or send it "
                  "elsewhere, and run the same command again",
                  std::strerror(errno)));
}

void Session::fail(const std::string& message) const {
  // Before MPI runs, every process of a job finds the same fault: the root's message ends the job,
  // the others wait for that.
  if (!processes && !is_root()) std::this_thread::sleep_for(std::chrono::seconds(2));
  const std::string who = processes && processes->size() > 1
                              ? fmt::format("koine (rank {}):", processes->rank().value)
                              : std::string("koine:");
  to_stderr(paint(use_color(), "31", who.c_str()) + " " + message);
}

}  // namespace koine::jobs
