#pragma once

#include <cstdint>

#include "kernels/stream.hpp"

namespace koine::kernels {

/// Blocks of columns in device memory, one per slot: [m, width] column-major, `step` float64s
/// apart.
struct Blocks {
  double* w;
  std::int64_t m, width, step, slots;
};

inline constexpr std::int64_t kWidestBlock = 128;

/// w = q r in every slot: w becomes q, whose columns are orthonormal or zero; r [width, width]
/// column-major, slots width * width apart. A column of w that is a combination of those before it
/// to within `negligible` * sqrt(scale_squared[slot]) in norm becomes zero, and so does its row of
/// r. Gram-Schmidt, each column twice against all before it ("twice is enough"), one thread block a
/// slot: the bits of a slot depend on its values alone. Cost: 4 m width^2 flops a slot.
/// Asynchronous, local.
/// @pre 1 <= width <= kWidestBlock  @throws DeviceError if the launch fails
void orthonormalise(const Blocks& blocks, double negligible, const double* scale_squared, double* r,
                    Stream* stream);

}  // namespace koine::kernels
