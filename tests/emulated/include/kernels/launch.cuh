#pragma once

#include "kernels/check.cuh"
#include "kernels/grid.cuh"
#include "kernels/stream.hpp"

namespace koine::kernels {

inline cudaStream_t as_cuda(Stream* stream) {
  return reinterpret_cast<cudaStream_t>(stream);
}

/// As kernels/launch.cuh, on the host.
template <typename... Parameters, typename... Arguments>
void launch(void (*kernel)(Parameters...), Grid grid, Stream* stream, Arguments... arguments) {
  const bool has_failed = grid.blocks == 0 || emulated::fails("launch");
  cuda::check(has_failed ? cudaErrorInvalidValue : cudaGetLastError());
  emulated::enqueue(as_cuda(stream), [=] {
    emulated::run({grid.blocks, grid.slots, grid.threads},
                  [&] { kernel(static_cast<Parameters>(arguments)...); });
  });
}

}  // namespace koine::kernels
