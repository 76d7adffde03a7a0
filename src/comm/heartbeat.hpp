#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <mpi.h>

#include "comm/communicator.hpp"
#include "comm/lived_time.hpp"

namespace koine::comm {

/// Tells the processes of a job that this one lives, from a thread of its own, and ends the job
/// where one of them is silent for too long. Work that takes hours is no silence: the thread beats
/// beside it; what stops the process stops the beats. The root hears of all and sends each all that
/// it has heard; the others watch the root. No clock is compared with another machine's.
class Heartbeat {
 public:
  /// Collective. `mpi` guards every call of MPI in this process, ours and the caller's.
  /// @throws CommError
  Heartbeat(MPI_Comm world, std::mutex& mpi, StallLimit limit);
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  /// This process has begun one more operation; others learn of it with the next beat.
  void step() { ++steps_begun_; }
  /// "rank 2 on host n3 and …": who has begun fewer operations than this process, or was not heard
  /// of when it should have been. Empty: nobody is known to be late.
  [[nodiscard]] std::string late();
  /// @throws CommError, once, where a process was lost
  void throw_if_lost();

  /// Collective: waits until all processes have come here. Then MPI may be finalised; where that
  /// takes longer than the limit, this process ends.
  void leave() noexcept;
  /// No more calls of MPI: a request was given up, and its buffer goes.
  void halt() noexcept;

 private:
  struct Peer {
    int rank = 0;
    Seconds silent{0};
    bool has_left = false, was_told = false;  ///< its farewell came, ours went
    MPI_Request in = MPI_REQUEST_NULL, out = MPI_REQUEST_NULL;
    std::vector<std::int64_t> heard, said;  ///< operations begun, by rank
  };

  void run();
  [[nodiscard]] bool beat();
  void hear(Peer& peer);
  void say(Peer& peer);
  void throw_if_silent() const;
  [[nodiscard]] std::string name_of(int rank) const;
  [[noreturn]] void end_job(const std::string& message);

  std::mutex& mpi_;  ///< guards all that is not atomic, too
  StallLimit limit_;
  Seconds period_, patience_;
  MPI_Comm beats_ = MPI_COMM_NULL;
  int rank_ = 0;
  std::vector<std::string> hosts_;
  std::vector<Peer> peers_;
  std::vector<std::int64_t> steps_;  ///< as last heard
  std::atomic<std::int64_t> steps_begun_{0};
  LivedTime lived_;
  std::condition_variable wake_;
  bool is_leaving_ = false, have_all_left_ = false, is_halted_ = false, is_over_ = false;
  std::string message_;  ///< set before is_lost_
  std::atomic<bool> is_lost_{false}, is_told_{false};
  std::thread thread_;
};

/// Seconds by which a process speaks after the root, so that one message says what many see.
[[nodiscard]] Seconds turn_to_speak(int rank);

}  // namespace koine::comm
