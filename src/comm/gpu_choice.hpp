#pragma once

#include <span>
#include <string>
#include <vector>

#include "comm/communicator.hpp"

namespace koine::comm {

struct Gpu {
  std::string name;  ///< "NVIDIA H100 80GB HBM3"
  std::string
      uuid;  ///< "GPU-…": no two in the world are equal; of a MIG instance, its own or its GPU's
  std::string pci;  ///< "0000:1b:00.0": no two of one machine are equal
};

/// What one process sees.
struct VisibleGpus {
  std::string host;
  std::vector<Gpu> gpus;  ///< in the CUDA runtime's order, as CUDA_VISIBLE_DEVICES left them
  std::string problem;    ///< why they cannot be used through NCCL; empty: they can
};

struct GpuChoice {
  std::vector<int> devices;  ///< by rank; empty where NCCL cannot serve these processes
  std::string why_not;       ///< who has no GPU of its own; empty where all have
};

/// A device for every process: its number among the processes of its machine, modulo the GPUs that
/// it sees. Right where each sees all GPUs (mpirun) and where each sees one (srun
/// --gpus-per-task=1). NCCL wants them distinct: by UUID, and by PCI address on one machine.
[[nodiscard]] GpuChoice choose_gpus(std::span<const VisibleGpus> by_rank);

/// As text, to be gathered, and back.
[[nodiscard]] std::string to_text(const VisibleGpus& gpus);
[[nodiscard]] VisibleGpus visible_gpus(const std::string& text);

}  // namespace koine::comm
