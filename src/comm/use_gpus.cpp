#include <functional>
#include <utility>

#include <fmt/format.h>

#include "comm/agree.hpp"
#include "comm/gpu_choice.hpp"
#include "comm/nccl.hpp"
#include "core/error.hpp"

namespace koine::comm {
namespace {

/// The same on every process. Collective.
GpuChoice agree_on_gpus(Mpi& processes, const VisibleGpus& mine) {
  std::vector<VisibleGpus> by_rank;
  for (const std::string& text : gather_to_all(processes, to_text(mine)))
    by_rank.push_back(visible_gpus(text));
  return choose_gpus(by_rank);
}

/// What `step` complains of on any process. Collective.
std::string complaint_of(Mpi& processes, const std::function<void()>& step) {
  std::string mine;
  try {
    step();
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    mine = error.what();
  }
  return first_complaint(processes, mine);
}

/// Of a set-up that may be given up, even where nothing else has a limit: a process whose own part
/// failed lets the others wait.
constexpr double kLongestSetUp = 60;  // seconds

/// Why some process could not be connected: then none is. Collective.
std::string try_to_connect(Nccl& nccl, Mpi& processes, int device, double limit) {
  if (limit == 0) limit = kLongestSetUp;
  std::string prepared;
  std::string complaint = complaint_of(processes, [&] { prepared = nccl.prepare(device); });
  if (complaint.empty())
    complaint = complaint_of(processes, [&] { nccl.connect(std::move(prepared), limit); });
  return complaint;
}

}  // namespace

std::string use_gpus(std::unique_ptr<Communicator>& processes, Transport wanted,
                     const std::optional<StallLimit>& stall) {
  auto* mpi = dynamic_cast<Mpi*>(processes.get());
  if (mpi == nullptr || (mpi->size() == 1 && wanted == Transport::automatic)) return {};
  GpuLibrary library;
  const VisibleGpus mine = open_gpus(library);
  GpuChoice chosen = agree_on_gpus(*mpi, mine);
  if (!chosen.why_not.empty() && wanted == Transport::nccl) {
    mpi->wait_for_turn();
    throw DeviceError(fmt::format(
        "--transport nccl: {}; give every process a GPU of its own (as many processes as GPUs; "
        "srun --gpus-per-task=1), or use --transport mpi",
        chosen.why_not));
  }
  if (!chosen.why_not.empty()) return std::move(chosen.why_not);
  static_cast<void>(processes.release());
  const double limit = stall ? stall->seconds : 0;
  auto nccl = std::make_unique<Nccl>(std::unique_ptr<Mpi>(mpi), library, limit);
  const int device = chosen.devices[static_cast<std::size_t>(mpi->rank().value)];
  Nccl& connecting = *nccl;
  processes = std::move(nccl);  // first: an error in what follows ends the job through it
  if (wanted == Transport::nccl) {
    connecting.connect(connecting.prepare(device), limit);
    return {};
  }
  std::string why_not = try_to_connect(connecting, *mpi, device, limit);
  if (!why_not.empty()) {
    std::unique_ptr<Mpi> alone = connecting.give_up();
    processes = std::move(alone);
  }
  return why_not;
}

}  // namespace koine::comm
