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

/// Tells `koine status` once a second that this process lives and how far it is (attempt.hpp).
/// Every process of the job has one; the root also notes what was started.
class StatusBeat {
 public:
  struct Work {
    std::filesystem::path folder;
    int threads = 1;
    std::int64_t bytes = 0, matrices = 0, units = 0;  ///< as in Attempt
    std::filesystem::path cache{};                    ///< empty: none
  };
  StatusBeat(Session& session, const pipeline::Progress& progress)
      : session_(session), progress_(progress) {}
  ~StatusBeat();
  StatusBeat(const StatusBeat&) = delete;
  StatusBeat& operator=(const StatusBeat&) = delete;

  /// The first beat is there when it returns. Called again, it only notes what is to do.
  void start(const Work& work);

 private:
  void beat();

  Session& session_;
  const pipeline::Progress& progress_;
  std::string host_;
  std::int64_t started_ = 0, process_ = 0, count_ = 0;
  std::mutex guard_;
  std::condition_variable wake_;
  bool is_over_ = false;
  std::thread thread_;
};

/// Notes in the session's folder how the command ended, if it has one.
void note_ending(const Session& session, ExitCode code, const std::string& message);

}  // namespace koine::jobs
