#pragma once

namespace koine::kernels {

/// A cudaStream_t in headers that know no CUDA; null is the default stream.
struct Stream;

}  // namespace koine::kernels
