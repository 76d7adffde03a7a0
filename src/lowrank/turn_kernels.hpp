#pragma once

/// Turning squares of a matrix, once per instruction set. Included by files built with wider
/// instructions: no standard header with inline functions may be included here.

#include <cstdint>

#include "lowrank/strip_rows.hpp"

namespace koine::lowrank {

/// As turn_square (strips.hpp).
using TurnKernel = void (*)(const float* from, std::int64_t step, float* to, std::int64_t to_step);

void turn_square_portable(const float* from, std::int64_t step, float* to, std::int64_t to_step);
#if defined(__x86_64__)
void turn_square_avx2(const float* from, std::int64_t step, float* to, std::int64_t to_step);
#endif

}  // namespace koine::lowrank
