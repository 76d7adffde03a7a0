#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace koine::comm {

struct RankId {
  int value = 0;  ///< a process; never a number of singular values
};

/// Processes that work on one merge. Every member function but rank, size, name and abort is
/// collective.
class Communicator {
 public:
  virtual ~Communicator() = default;
  [[nodiscard]] virtual RankId rank() const = 0;
  [[nodiscard]] virtual int size() const = 0;
  [[nodiscard]] virtual std::string name() const = 0;  ///< "self" | "mpi"
  [[nodiscard]] bool is_root() const { return rank().value == 0; }

  /// Root's text to all.
  virtual void broadcast(std::string& text) = 0;
  /// Slot sums. Exact because each slot has one owner and all others bring +0 (-0 is sent as +0).
  virtual void all_reduce_sum(std::span<double> slots) = 0;
  virtual void all_reduce_sum(std::span<std::int64_t> counts) = 0;
  /// One text per process, in rank order, on the root (elsewhere empty).
  [[nodiscard]] virtual std::vector<std::string> gather(const std::string& text) = 0;
  /// Waits without burning a core.
  virtual void barrier() = 0;
  /// Ends the whole job at once.
  [[noreturn]] virtual void abort(int exit_code) = 0;
};

/// A single process.
[[nodiscard]] std::unique_ptr<Communicator> make_self();

/// A duplicate of MPI_COMM_WORLD. Initialises MPI, and finalises it in the destructor, unless the
/// caller has. @throws CommError
[[nodiscard]] std::unique_ptr<Communicator> make_mpi();

/// Whether a launcher (mpirun, srun --mpi=pmix) started this process as one of several. Reads the
/// environment only.
[[nodiscard]] bool started_by_launcher();
[[nodiscard]] int launched_processes();  ///< as the launcher's environment says; 1 without one
/// This process' number and how many of the job run on this machine, as the launcher's environment
/// says (0 and 1 without).
[[nodiscard]] RankId launched_rank();
[[nodiscard]] int launched_on_this_machine();

enum class Transport : std::uint8_t { automatic, nccl, mpi, self };
/// @throws CommError, DeviceError (nccl is not there), InputError (self with several processes)
[[nodiscard]] std::unique_ptr<Communicator> make(Transport transport);

}  // namespace koine::comm
