#include "core/rules.hpp"
#include "kernels/launch.cuh"
#include "kernels/panels.hpp"

namespace koine::kernels {
namespace {

__global__ void widen_rows_kernel(Matrices a, std::int64_t first, std::int64_t width,
                                  double* panel) {
  const float* tau = a.tau + blockIdx.y * a.step;
  const std::int64_t count = a.rows * width;
  double* out = panel + blockIdx.y * count;
  for (std::int64_t at = first_index(); at < count; at += index_step())
    out[at] = static_cast<double>(tau[at / width * a.cols + first + at % width]);
}

/// tau has the columns of A one after the other.
__global__ void widen_columns_kernel(Matrices a, std::int64_t first, std::int64_t width,
                                     double* panel) {
  const std::int64_t count = a.cols * width;
  const float* tau = a.tau + blockIdx.y * a.step + first * a.cols;
  double* out = panel + blockIdx.y * count;
  for (std::int64_t at = first_index(); at < count; at += index_step())
    out[at] = static_cast<double>(tau[at]);
}

/// A^T where tau = A^T: element (j, i) of [long, short] column-major is tau's (j, i) row-major.
__global__ void transpose_kernel(const float* tau, std::int64_t rows, std::int64_t cols,
                                 double* out) {
  for (std::int64_t at = first_index(); at < rows * cols; at += index_step())
    out[at] = static_cast<double>(tau[at % rows * cols + at / rows]);
}

__global__ void subtract_kernel(const double* g, std::int64_t n, double c, double* out) {
  for (std::int64_t at = first_index(); at < n * n; at += index_step())
    out[at] = (at % n == at / n ? c : 0.0) - g[at];
}

__global__ void add_symmetric_kernel(const float* part, std::int64_t n, bool is_first,
                                     double* sum) {
  part += blockIdx.y * n * n;
  sum += blockIdx.y * n * n;
  for (std::int64_t at = first_index(); at < n * n; at += index_step()) {
    const std::int64_t i = at % n, j = at / n;
    const double value = static_cast<double>(part[i < j ? i * n + j : at]);
    sum[at] = is_first ? value : sum[at] + value;
  }
}

__global__ void scale_kernel(Columns x, double* out) {
  for (std::int64_t at = first_index(); at < x.m * x.count; at += index_step()) {
    const double value = x.values[at / x.m];
    out[at] = sqrt(value > 0 ? value : 0.0) * x.u[at];
  }
}

__global__ void distances_kernel(Columns x, const double* images, double* out) {
  __shared__ double shared[kThreads];
  const double *u = x.u + blockIdx.x * x.m, *image = images + blockIdx.x * x.m;
  const double value = x.values[blockIdx.x];
  double sum = 0;
  for (std::int64_t t = threadIdx.x; t < x.m; t += kThreads) {
    const double difference = image[t] - value * u[t];
    sum += difference * difference;
  }
  sum = block_sum(sum, shared);
  if (threadIdx.x == 0) out[blockIdx.x] = sqrt(sum);
}

__global__ void round_kernel(const double* x, std::int64_t count, float* out) {
  for (std::int64_t i = first_index(); i < count; i += index_step())
    out[i] = rules::round_f32(x[i]);
}

}  // namespace

void widen_panel(const Matrices& matrices, std::int64_t first, std::int64_t width, double* panel,
                 Stream* stream) {
  Grid grid = elements(matrices.short_side() * width);
  grid.slots = static_cast<unsigned>(matrices.slots);
  launch(matrices.is_transposed() ? widen_columns_kernel : widen_rows_kernel, grid, stream,
         matrices, first, width, panel);
}

void widen_transposed(const Matrices& one, double* out, Stream* stream) {
  if (one.is_transposed()) {
    launch(transpose_kernel, elements(one.rows * one.cols), stream, one.tau, one.rows, one.cols,
           out);
  } else {  // row-major A is column-major A^T
    Matrices all = one;
    all.slots = 1;
    widen_panel(all, 0, one.cols, out, stream);
  }
}

void subtract_from_identity(const double* g, std::int64_t n, double c, double* out,
                            Stream* stream) {
  launch(subtract_kernel, elements(n * n), stream, g, n, c, out);
}

void add_symmetric(const Squares32& squares, bool is_first, double* sum, Stream* stream) {
  Grid grid = elements(squares.n * squares.n);
  grid.slots = static_cast<unsigned>(squares.slots);
  launch(add_symmetric_kernel, grid, stream, squares.part, squares.n, is_first, sum);
}

void scale_by_roots(const Columns& columns, double* out, Stream* stream) {
  launch(scale_kernel, elements(columns.m * columns.count), stream, columns, out);
}

void distances(const Columns& columns, const double* images, double* out, Stream* stream) {
  Grid grid;
  grid.blocks = static_cast<unsigned>(columns.count);
  launch(distances_kernel, grid, stream, columns, images, out);
}

void round_to_float(const double* x, std::int64_t count, float* out, Stream* stream) {
  if (count > 0) launch(round_kernel, elements(count), stream, x, count, out);
}

}  // namespace koine::kernels
