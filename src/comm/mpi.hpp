#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <source_location>
#include <thread>

#include <mpi.h>

#include "comm/communicator.hpp"
#include "comm/heartbeat.hpp"
#include "core/stop.hpp"

namespace koine::comm {

/// @throws CommError with MPI's own text
void check(int status, std::source_location at = std::source_location::current());

/// Processes of MPI. With a StallLimit, a thread watches them (Heartbeat).
class Mpi final : public Communicator {
 public:
  explicit Mpi(const std::optional<StallLimit>& stall);
  ~Mpi() override;
  Mpi(const Mpi&) = delete;
  Mpi& operator=(const Mpi&) = delete;

  [[nodiscard]] RankId rank() const override { return {rank_}; }
  [[nodiscard]] int size() const override { return size_; }
  [[nodiscard]] std::string name() const override { return "mpi"; }
  void broadcast(std::string& text) override;
  void all_reduce_sum(std::span<double> slots) override;
  void all_reduce_sum(std::span<std::int64_t> counts) override;
  [[nodiscard]] std::vector<std::string> gather(const std::string& text) override;
  void barrier() override;
  [[noreturn]] void abort(int exit_code) override;

  /// Null for one process, and where none was asked for.
  [[nodiscard]] Heartbeat* heartbeat() { return heartbeat_.get(); }

  /// Asks is_done() until it says so, without burning the core that another process may need.
  /// @throws Interrupted at a stop request, CommError where a process was lost
  template <typename IsDone>
  void wait_until(IsDone&& is_done) {
    using namespace std::chrono_literals;
    for (auto pause = 20us; !is_done(); pause = std::min(2 * pause, 2000us)) {
      throw_if_stopped();
      if (heartbeat_) heartbeat_->throw_if_lost();
      std::this_thread::sleep_for(pause);
    }
  }

  /// Lets the root speak first of what several processes see: it ends the job, and this returns
  /// only where it did not.
  void wait_for_turn() {
    LivedTime lived;
    Seconds waited{0};
    wait_until([&] { return (waited += lived.lap(Seconds(1))) >= turn_to_speak(rank_); });
  }

 private:
  /// Starts a collective, start(request), and waits for it.
  template <typename Start>
  void run(Start&& start);
  template <typename T>
  void reduce(std::span<T> data, MPI_Datatype type);

  std::mutex guard_;  ///< MPI is called by one thread at a time
  MPI_Comm world_ = MPI_COMM_NULL;
  bool owns_library_ = true;  ///< we initialised MPI, so we finalise it
  int rank_ = 0;
  int size_ = 1;
  std::unique_ptr<Heartbeat> heartbeat_;
};

}  // namespace koine::comm
