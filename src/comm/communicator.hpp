#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
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
  [[nodiscard]] virtual std::string name() const = 0;  ///< "self" | "mpi" | "nccl"
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

/// When a job is ended because one of its processes is not heard of, or an operation of NCCL that
/// all have begun does not finish.
struct StallLimit {
  double seconds = 60;  ///< 0: never
  /// Tells the user why. Called from another thread, at most once, and only where the process'
  /// main thread is at work; where it waits for the others, the collective throws CommError.
  std::function<void(const std::string&)> say = [](const std::string&) {};
};

/// A single process.
[[nodiscard]] std::unique_ptr<Communicator> make_self();

/// A duplicate of MPI_COMM_WORLD. Initialises MPI, and finalises it in the destructor, unless the
/// caller has (who then destroys this before MPI_Finalize). With `stall` the processes watch each
/// other, where MPI allows more than one thread (MPI_THREAD_SERIALIZED). Collective. @throws
/// CommError
[[nodiscard]] std::unique_ptr<Communicator> make_mpi(const std::optional<StallLimit>& stall = {});

/// Whether a launcher (mpirun, srun --mpi=pmix) started this process as one of several. Reads the
/// environment only.
[[nodiscard]] bool started_by_launcher();
[[nodiscard]] int launched_processes();  ///< as the launcher's environment says; 1 without one
/// This process' number and how many of the job run on this machine, as the launcher's environment
/// says (0 and 1 without).
[[nodiscard]] RankId launched_rank();
[[nodiscard]] int launched_on_this_machine();

/// This machine as Slurm calls it, else by its host name.
[[nodiscard]] std::string machine_name();

enum class Transport : std::uint8_t { automatic, nccl, mpi, self };

/// What `transport` needs first: MPI where the launcher started several processes, or where it says
/// so (nccl too: see use_gpus). @throws CommError, InputError (self with several processes)
[[nodiscard]] std::unique_ptr<Communicator> make(Transport transport,
                                                 const std::optional<StallLimit>& stall = {});

/// Lets NCCL reduce statistics where every process has a GPU of its own; texts go on over MPI.
/// `processes`, made by make() for automatic or nccl, is replaced, or stays as it was where GPUs
/// are shared, absent, there is one process, or NCCL cannot be set up within the limit. Opens the
/// CUDA runtime and NCCL. Collective.
/// @return why it stayed as it was (on the root), else empty
/// @throws DeviceError where `wanted` is nccl and that cannot work, or where NCCL fails
std::string use_gpus(std::unique_ptr<Communicator>& processes, Transport wanted,
                     const std::optional<StallLimit>& stall);

}  // namespace koine::comm
