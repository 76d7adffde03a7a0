#pragma once

#include <cstdint>

#include "core/shape.hpp"
#include "kernels/stream.hpp"

/// Small float64 work around the matrix products of a factorisation, in device memory. A is tau
/// where rows < cols, else tau^T: [short, long]. Asynchronous, local. @throws DeviceError if a
/// launch fails
namespace koine::kernels {

/// The task vectors of a batch: [rows, cols] row-major float32, `step` elements apart.
struct Matrices {
  const float* tau;
  std::int64_t rows, cols, step, slots;
  [[nodiscard]] bool is_transposed() const noexcept { return koine::is_transposed(rows, cols); }
  [[nodiscard]] std::int64_t short_side() const noexcept { return rows < cols ? rows : cols; }
  [[nodiscard]] std::int64_t long_side() const noexcept { return rows < cols ? cols : rows; }
};

/// Columns [first, first + width) of every A in float64, as the memory of tau has them: transposed:
/// panel [short, width] column-major; else [width, short] column-major. Slots short * width apart.
void widen_panel(const Matrices& matrices, std::int64_t first, std::int64_t width, double* panel,
                 Stream* stream);

/// The whole of one A^T in float64, [long, short] column-major.
void widen_transposed(const Matrices& one, double* out, Stream* stream);

/// out [n, n] <- c I - g, both column-major, all of the square.
void subtract_from_identity(const double* g, std::int64_t n, double c, double* out, Stream* stream);

/// sum [n, n] of every slot <- (0 where is_first, else sum) + part, n x n column-major, of which
/// the lower triangle counts: all of the square is filled.
struct Squares32 {
  const float* part;
  std::int64_t n, slots;
};
void add_symmetric(const Squares32& squares, bool is_first, double* sum, Stream* stream);

/// Column i of out [m, count] <- sqrt(max(values[i], 0)) u_i.
struct Columns {
  const double *u, *values;
  std::int64_t m, count;
};
void scale_by_roots(const Columns& columns, double* out, Stream* stream);

/// out[i] <- |images_i - values[i] u_i|_2, each column in a tree that is always the same.
void distances(const Columns& columns, const double* images, double* out, Stream* stream);

/// out_i <- float32(x_i), one rounding.
void round_to_float(const double* x, std::int64_t count, float* out, Stream* stream);

}  // namespace koine::kernels
