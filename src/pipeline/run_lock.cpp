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
// A job that was requeued from a node that is lost, not dead: until its processes notice.
constexpr std::chrono::seconds kPatienceWithOurselves{120};

std::int64_t beats_elsewhere(const fs::path& run, const std::string& here) {
  std::int64_t count = 0;
  for (const Beat& beat : read_beats(run)) count += beat.host == here ? 0 : beat.count;
  return count;
}

/// Whether beats of other hosts go on within so long a silence.
bool goes_on(const fs::path& run, const std::string& here) {
  const std::int64_t before = beats_elsewhere(run, here);
  if (before == 0) return false;
  for (const auto end = Clock::now() + kSilence; Clock::now() < end;) {
    throw_if_stopped();
    std::this_thread::sleep_for(kLook);
    if (beats_elsewhere(run, here) != before) return true;
  }
  return false;
}

/// Whether processes that our lock says nothing of work here. @param here a host that it does speak
/// of
bool is_alive_elsewhere(const fs::path& run, const std::string& here) {
  const auto owner = read_attempt(run);
  const Attempt us = attempt_of_this_process();
  if (!owner || !read_endings(run).empty()) return false;
  if (owner->host == us.host && owner->process == us.process) return false;  // opened once more
  const bool is_our_job = !us.job.empty() && owner->job == us.job;
  const auto end = Clock::now() + kPatienceWithOurselves;
  while (goes_on(run, here)) {
    if (!is_our_job) return true;
    if (Clock::now() > end) {
      throw Interrupted(fmt::format(
          "{}: processes of this job's last start ({}) still work here; run the same command again",
          run.string(), who(*owner)));
    }
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
