#include "status_beat.hpp"

#include <chrono>

#include "pipeline/attempt.hpp"

namespace koine::jobs {
namespace {

using namespace std::chrono_literals;

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

int rank_of(const Session& session) {
  return session.processes ? session.processes->rank().value : 0;
}

}  // namespace

StatusBeat::~StatusBeat() {
  {
    const std::lock_guard lock(guard_);
    is_over_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void StatusBeat::start(const Work& work) {
  pipeline::Attempt attempt = pipeline::attempt_of_this_process();
  if (started_ == 0) {  // before there is a thread that reads them
    session_.work = work.folder;
    started_ = static_cast<std::int64_t>(now());
  }
  if (session_.is_root()) {
    std::error_code none;
    attempt.command = session_.typed;
    attempt.folder = std::filesystem::current_path(none).string();
    attempt.started = started_;
    attempt.processes = session_.processes ? session_.processes->size() : 1;
    attempt.threads = work.threads;
    attempt.bytes = work.bytes;
    attempt.matrices = work.matrices;
    attempt.units = work.units;
    if (!work.cache.empty()) attempt.cache = std::filesystem::absolute(work.cache, none).string();
    pipeline::note_attempt(work.folder, attempt);
  }
  if (thread_.joinable()) return;
  host_ = attempt.host;
  process_ = attempt.process;
  beat();
  thread_ = std::thread([this] {
    std::unique_lock lock(guard_);
    while (!wake_.wait_for(lock, 1s, [this] { return is_over_; })) beat();
    beat();
  });
}

void StatusBeat::beat() {
  pipeline::note_beat(
      session_.work,
      {rank_of(session_), host_, process_, ++count_, static_cast<std::int64_t>(now()),
       progress_.bytes, progress_.tensors, progress_.matrices + progress_.matrices_found});
}

void note_ending(const Session& session, ExitCode code, const std::string& message) {
  if (session.work.empty()) return;
  if (code == ExitCode::done && !session.is_root()) return;  // the root speaks for all
  pipeline::note_ending(session.work, {rank_of(session), now(), static_cast<int>(code), message});
}

}  // namespace koine::jobs
