#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "backend/cuda_library.hpp"

namespace koine::backend {

/// The device of a process: its number among the processes of its machine, modulo the devices that
/// it sees. Where each sees one of its own (srun --gpus-per-task=1) that is device 0. As
/// comm::choose_gpus.  @pre visible > 0
[[nodiscard]] int device_of(int local_rank, int visible) noexcept;

/// The device that this process works on.
struct Gpu {
  CudaLibrary library;
  DeviceInfo device;
  std::string versions;  ///< of CUDA's libraries
  int processes = 1;     ///< of this machine that share it
};

/// Where arithmetic runs.
struct Choice {
  std::optional<Gpu> gpu;  ///< empty: on the CPU
  std::string why_cpu;     ///< one line; empty where nobody asked for a GPU
};

/// The GPU of a process, if it has one that works: tried with a tensor of one element, so that one
/// that cannot run our kernels is not chosen. Who shares it is not known yet. Local.
[[nodiscard]] Choice choose_gpu(int local_rank);

}  // namespace koine::backend
