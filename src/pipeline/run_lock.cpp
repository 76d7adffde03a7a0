#include "pipeline/run_lock.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

#include <fmt/format.h>
#include <sys/file.h>

#include "core/error.hpp"
#include "core/stop.hpp"
#include "pipeline/attempt.hpp"

namespace koine::pipeline {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kSilence{3000}, kLook{100};

std::int64_t beats_elsewhere(const fs::path& run, const std::string& here) {
  std::int64_t count = 0;
  for (const Beat& beat : read_beats(run)) count += beat.host == here ? 0 : beat.count;
  return count;
}

/// Whether processes that our lock says nothing of work here. @param here a host that it does speak
/// of
bool is_alive_elsewhere(const fs::path& run, const std::string& here) {
  if (!read_endings(run).empty()) return false;
  const std::int64_t before = beats_elsewhere(run, here);
  if (before == 0) return false;
  for (const auto end = Clock::now() + kSilence; Clock::now() < end;) {
    throw_if_stopped();
    std::this_thread::sleep_for(kLook);
    if (beats_elsewhere(run, here) != before) return true;
  }
  return false;
}

[[noreturn]] void refuse(const fs::path& run) {
  const auto owner = read_attempt(run);
  throw InputError(
      fmt::format("{}: another koine is working here{}; wait for it (koine status {}) or choose "
                  "another --output",
                  run.string(), owner ? fmt::format(" ({})", who(*owner)) : "", run.string()));
}

}  // namespace

void RunLock::add(const fs::path& run) {
  const fs::path path = run / ".koine" / "lock";
  if (!fs::exists(path)) File::create(path).close();
  File file = File::open_update(path);
  const bool is_locked = ::flock(file.descriptor(), LOCK_EX | LOCK_NB) == 0;
  if (!is_locked && errno == EWOULDBLOCK) refuse(run);
  if (is_alive_elsewhere(run, is_locked ? attempt_of_this_process().host : std::string()))
    refuse(run);
  if (is_locked) files_.push_back(std::move(file));
}

}  // namespace koine::pipeline
