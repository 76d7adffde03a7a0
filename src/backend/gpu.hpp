#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "backend/cuda_library.hpp"

namespace koine::backend {

/// Which process of a machine this is, and of how many.
struct LocalProcess {
  int rank = 0, size = 1;
};
/// As the launcher's environment says (Open MPI, Slurm, MPICH, PMI); 0 of 1 without one.
[[nodiscard]] LocalProcess local_process();

/// The device of a process: its number on the machine modulo the visible devices. Under a launcher
/// that shows every process one device of its own that is device 0.  @pre visible > 0
[[nodiscard]] int device_of(int local_rank, int visible) noexcept;

/// How many of the machine's processes have this device.
[[nodiscard]] int processes_on(int device, int local_size, int visible) noexcept;

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
  std::string why_cpu;     ///< why `auto` chose the CPU: one line
};

/// @param wish "auto", "cpu" or "cuda". Tries the device with a tensor of one element, so that one
/// that cannot run our kernels is not chosen.
/// @throws DeviceError where "cuda" is not to be had: what is missing, and what to do
[[nodiscard]] Choice choose_backend(std::string_view wish);

}  // namespace koine::backend
