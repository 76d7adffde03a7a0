#pragma once

#include <cuda_runtime.h>

#include <source_location>
#include <string>

#include "core/error.hpp"

namespace koine::cuda {

/// Throws what a CUDA call answered, with the line that made the call. @throws DeviceError
inline void check(cudaError_t status, std::source_location at = std::source_location::current()) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // clears it: the next call answers for itself
  throw DeviceError(std::string("CUDA: ") + cudaGetErrorString(status) + " (" + at.file_name() + ":" +
                    std::to_string(at.line()) + "); use --backend cpu, or see what nvidia-smi says of the device");
}

}  // namespace koine::cuda
