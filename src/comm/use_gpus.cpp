#include <utility>

#include <fmt/format.h>

#include "comm/gpu_choice.hpp"
#include "comm/nccl.hpp"
#include "core/error.hpp"
#include "core/json.hpp"

namespace koine::comm {
namespace {

/// The root's choice, on every process. Collective.
GpuChoice agree_on_gpus(Mpi& processes, const VisibleGpus& mine) {
  std::vector<VisibleGpus> by_rank;
  for (const std::string& text : processes.gather(to_text(mine)))
    by_rank.push_back(visible_gpus(text));
  const GpuChoice chosen = choose_gpus(by_rank);
  std::string text = Json{chosen.devices, chosen.why_not}.dump();
  processes.broadcast(text);
  const Json json = Json::parse(text);
  return {json.at(0), json.at(1)};
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
  auto nccl =
      std::make_unique<Nccl>(std::unique_ptr<Mpi>(mpi), library, stall ? stall->seconds : 0);
  Nccl& connecting = *nccl;
  processes = std::move(nccl);  // first: an error in what follows ends the job through it
  connecting.connect(chosen.devices[static_cast<std::size_t>(mpi->rank().value)]);
  return {};
}

}  // namespace koine::comm
