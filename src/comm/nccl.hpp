#pragma once

#include <memory>
#include <string>

#include "comm/gpu_library.hpp"
#include "comm/mpi.hpp"

namespace koine::comm {

/// Sums go through NCCL, everything else over MPI. The communicator of NCCL is non-blocking: each
/// call is polled, until it is done or the limit is over, and after a failure ncclCommAbort is
/// called, once.
class Nccl final : public Communicator {
 public:
  /// Local. `limit`: for an operation that all processes have begun, in seconds; 0: none.
  Nccl(std::unique_ptr<Mpi> processes, const GpuLibrary& library, double limit);
  ~Nccl() override;
  Nccl(const Nccl&) = delete;
  Nccl& operator=(const Nccl&) = delete;

  /// The first half of the set-up: what the root tells the others (elsewhere empty). Local.
  /// @throws DeviceError, CommError
  [[nodiscard]] std::string prepare(int device);
  /// The second half, before anything else; all have prepared. `limit` as above, for this.
  /// Collective.
  /// @throws DeviceError, CommError
  void connect(std::string prepared, double limit);
  /// Gives MPI back, where the set-up failed, here or elsewhere.
  [[nodiscard]] std::unique_ptr<Mpi> give_up();

  [[nodiscard]] RankId rank() const override { return processes_->rank(); }
  [[nodiscard]] int size() const override { return processes_->size(); }
  [[nodiscard]] std::string name() const override { return "nccl"; }
  void broadcast(std::string& text) override { processes_->broadcast(text); }
  void all_reduce_sum(std::span<double> slots) override;
  void all_reduce_sum(std::span<std::int64_t> counts) override;
  [[nodiscard]] std::vector<std::string> gather(const std::string& text) override {
    return processes_->gather(text);
  }
  void barrier() override { processes_->barrier(); }
  [[noreturn]] void abort(int exit_code) override { processes_->abort(exit_code); }

 private:
  using Handle = std::unique_ptr<void, int (*)(void*)>;  ///< of the CUDA runtime, with its release

  void reduce(void* data, std::size_t count, int type, const std::string& operation);
  void make_room(std::size_t bytes, const std::string& operation);
  /// Starts something, start(), and polls until NCCL and the stream are done with it.
  template <typename Start>
  void run(const std::string& operation, Start&& start);
  [[nodiscard]] bool is_done(const std::string& operation);
  void check_cuda(int status, const std::string& operation);
  void check_nccl(int status, const std::string& operation);
  [[noreturn]] void time_out(const std::string& operation);
  void close();
  void abort_nccl() noexcept;

  std::unique_ptr<Mpi> processes_;
  GpuLibrary library_;
  Seconds limit_;
  void* comm_ = nullptr;  ///< null: not connected, or aborted
  Handle stream_, buffer_;
  int device_ = 0;
  std::size_t room_ = 0;  ///< bytes of the buffer
};

}  // namespace koine::comm
