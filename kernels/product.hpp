#pragma once

#include <cstdint>

#include "kernels/stream.hpp"

namespace koine::kernels {

/// Two factors in device memory, as lowrank::Factors stores them: rows < cols: U [rows, kept], B
/// [kept, cols]; else (is_transposed) U [cols, kept], B [kept, rows]. All row-major.
struct FactorPair {
  const float *u, *b;
  std::int64_t rows, cols, kept;
  bool is_transposed;
};

/// L_ij = chain of fmaf from +0 over the factors in order (rules::chain); row-major [rows, cols]
/// into `out`: the host's bits for equal factors. Cost: rows * cols * kept fused multiply-adds.
/// Asynchronous, local. @throws DeviceError if the launch fails
void product(const FactorPair& factors, float* out, Stream* stream);

}  // namespace koine::kernels
