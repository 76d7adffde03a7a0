#include "lowrank/strips.hpp"

#include <algorithm>
#include <cstring>

#include "core/cpu.hpp"
#include "lowrank/turn_kernels.hpp"

namespace koine::lowrank {
namespace {

void turn_plainly(const RowsOfFloats& from, float* to, std::int64_t to_step) {
  for (std::int64_t i = 0; i < from.rows; ++i) {
    for (std::int64_t k = 0; k < from.cols; ++k) to[k * to_step + i] = from.data[i * from.step + k];
  }
}

}  // namespace

std::int64_t strips_of(std::int64_t short_side) noexcept {
  return (short_side + kStripRows - 1) / kStripRows;
}

void turn_square_portable(const float* from, std::int64_t step, float* to, std::int64_t to_step) {
  turn_plainly({from, kStripRows, kStripRows, step}, to, to_step);
}

void turn_square(const float* from, std::int64_t step, float* to, std::int64_t to_step) {
#if defined(__x86_64__)
  static const TurnKernel kKernel = cpu_has_avx2() ? turn_square_avx2 : turn_square_portable;
  kKernel(from, step, to, to_step);
#else
  turn_square_portable(from, step, to, to_step);
#endif
}

void turn_rows(const RowsOfFloats& from, float* to, std::int64_t to_step) {
  const auto& [data, rows, cols, step] = from;
  std::int64_t k = 0;
  for (; rows == kStripRows && k + kStripRows <= cols; k += kStripRows) {
    for (std::int64_t i = 0; i < kStripRows; ++i)  // those that are turned next
      __builtin_prefetch(data + k + (kStripRows + i) * step);
    turn_square(data + k, step, to + k * to_step, to_step);
  }
  turn_plainly({data + k, rows, cols - k, step}, to + k * to_step, to_step);
}

void pack_strip(const ShortSideFirst& side, std::int64_t top, std::int64_t first,
                std::int64_t terms, float* strip) {
  const std::int64_t rows = std::min(kStripRows, side.short_side - top);
  if (rows < kStripRows) std::fill_n(strip, terms * kStripRows, 0.0F);
  if (side.is_transposed) {
    const float* from = side.tau.data + first * side.short_side + top;
    for (std::int64_t k = 0; k < terms; ++k, from += side.short_side, strip += kStripRows) {
      if (rows == kStripRows) {
        std::memcpy(strip, from, kStripRows * sizeof(float));  // a length that the compiler knows
      } else {
        std::copy_n(from, rows, strip);
      }
    }
    return;
  }
  const std::int64_t n = side.long_side;
  turn_rows({side.tau.data + top * n + first, rows, terms, n}, strip, kStripRows);
}

}  // namespace koine::lowrank
