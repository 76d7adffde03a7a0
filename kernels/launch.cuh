#pragma once

#include <cstdint>

#include <cuda_runtime.h>

#include "kernels/check.cuh"
#include "kernels/grid.cuh"
#include "kernels/stream.hpp"

namespace koine::kernels {

inline cudaStream_t as_cuda(Stream* stream) {
  return reinterpret_cast<cudaStream_t>(stream);
}

/// Starts a kernel and checks that it was taken.  @pre grid.blocks > 0  @throws DeviceError
template <typename... Parameters, typename... Arguments>
void launch(void (*kernel)(Parameters...), Grid grid, Stream* stream, Arguments... arguments) {
  kernel<<<dim3(grid.blocks, grid.slots), grid.threads, 0, as_cuda(stream)>>>(
      static_cast<Parameters>(arguments)...);
  cuda::check(cudaGetLastError());
}

}  // namespace koine::kernels
