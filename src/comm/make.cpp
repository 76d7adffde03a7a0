#include <array>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>

#include "comm/communicator.hpp"
#include "core/error.hpp"

namespace koine::comm {
namespace {

/// Processes that the launcher started, as it says itself; 1 where there is none.
int launched_processes() {
  constexpr std::array<const char*, 4> kSizes{"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MPI_LOCALNRANKS", "PMIX_SIZE"};
  for (const char* name : kSizes) {
    if (const char* value = std::getenv(name)) return std::atoi(value);
  }
  if (std::getenv("PMIX_RANK") != nullptr) {  // srun --mpi=pmix: the size is Slurm's
    const char* tasks = std::getenv("SLURM_STEP_NUM_TASKS");
    return tasks != nullptr ? std::atoi(tasks) : 2;
  }
  return 1;
}

}  // namespace

bool started_by_launcher() { return launched_processes() > 1; }

std::unique_ptr<Communicator> make(Transport transport) {
  if (transport == Transport::nccl) {
    throw DeviceError("transport nccl needs a GPU for every process, which this build has no backend for; use --transport mpi");
  }
  if (transport == Transport::self && started_by_launcher()) {
    throw InputError(fmt::format("--transport self is for one process, but the launcher started {}; use --transport mpi",
                                 launched_processes()));
  }
  const bool with_mpi = transport == Transport::mpi || started_by_launcher();
  return with_mpi ? make_mpi() : make_self();
}

}  // namespace koine::comm
