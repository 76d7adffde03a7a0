#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>

#include "pipeline/progress.hpp"
#include "session.hpp"

namespace koine::jobs {

/// Shows how a run goes on: a bar on a terminal, a plain line every 30 s elsewhere; on the root,
/// for all processes: the root adds up what the beats of the others say (status_beat.hpp).
class LiveProgress {
 public:
  struct Goal {
    std::int64_t bytes = 0, matrices = 0;  ///< of all processes
    std::filesystem::path run;
  };
  LiveProgress(const Session& session, const pipeline::Progress& progress)
      : session_(session), progress_(progress) {}
  ~LiveProgress() { stop(); }
  LiveProgress(const LiveProgress&) = delete;
  LiveProgress& operator=(const LiveProgress&) = delete;

  void start(const Goal& goal);
  void stop();                  ///< clears the bar; may be called again
  void interrupt_line() const;  ///< before another line is printed over a bar

 private:
  void watch();
  [[nodiscard]] std::string line(double seconds) const;

  const Session& session_;
  const pipeline::Progress& progress_;
  Goal goal_;
  bool draws_bar_ = false;
  std::mutex guard_;
  std::condition_variable wake_;
  bool is_over_ = true;
  std::thread thread_;
};

}  // namespace koine::jobs
