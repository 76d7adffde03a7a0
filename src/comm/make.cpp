#include <array>
#include <cstddef>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>
#include <unistd.h>

#include "comm/communicator.hpp"
#include "core/error.hpp"
#include "core/host.hpp"

namespace koine::comm {
namespace {

/// The first of these variables that is set, as a number.
template <std::size_t N>
int first_number(const std::array<const char*, N>& names, int otherwise) {
  for (const char* name : names) {
    if (const char* value = std::getenv(name)) return std::atoi(value);
  }
  return otherwise;
}

}  // namespace

int launched_processes() {
  constexpr std::array<const char*, 3> kSizes{"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_SIZE"};
  if (const int size = first_number(kSizes, 0); size > 0) return size;
  if (std::getenv("PMIX_RANK") != nullptr) {  // srun --mpi=pmix: the size is Slurm's
    const char* tasks = std::getenv("SLURM_STEP_NUM_TASKS");
    return tasks != nullptr ? std::atoi(tasks) : 2;
  }
  return 1;
}

bool started_by_launcher() {
  return launched_processes() > 1;
}

RankId launched_rank() {
  constexpr std::array<const char*, 3> kRanks{"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"};
  return {first_number(kRanks, 0)};
}

int launched_on_this_machine() {
  constexpr std::array<const char*, 2> kSizes{"OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS"};
  if (const int size = first_number(kSizes, 0); size > 0) return size;
  return started_by_launcher()
             ? first_number(std::array<const char*, 1>{"SLURM_NTASKS_PER_NODE"}, 1)
             : 1;
}

std::string machine_name() {
  if (const char* name = std::getenv("SLURMD_NODENAME")) return name;
  return host_name();
}

std::unique_ptr<Communicator> make(Transport transport, const std::optional<StallLimit>& stall) {
  if (transport == Transport::self && started_by_launcher()) {
    throw InputError(fmt::format(
        "--transport self is for one process, but the launcher started {}; use --transport mpi",
        launched_processes()));
  }
  const bool with_mpi =
      transport == Transport::mpi || transport == Transport::nccl || started_by_launcher();
  return with_mpi ? make_mpi(stall) : make_self();
}

}  // namespace koine::comm
