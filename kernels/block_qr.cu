#include "kernels/block_qr.hpp"
#include "kernels/launch.cuh"

namespace koine::kernels {
namespace {

constexpr unsigned kLanes = 32;                  // threads that share a dot product
constexpr unsigned kGroups = kThreads / kLanes;  // dot products at a time

/// dots[i] <- q_i . w for i < count: a group of threads each; the lanes are added in order.
__device__ void dot_with(const double* q, std::int64_t m, std::int64_t count, const double* w,
                         double* shared, double* dots) {
  const unsigned lane = threadIdx.x % kLanes, group = threadIdx.x / kLanes;
  for (std::int64_t first = 0; first < count; first += kGroups) {
    const std::int64_t i = first + group;
    double sum = 0;
    if (i < count) {
      for (std::int64_t t = lane; t < m; t += kLanes) sum += q[i * m + t] * w[t];
    }
    shared[threadIdx.x] = sum;
    __syncthreads();
    if (lane == 0 && i < count) {
      double all = 0;
      for (unsigned l = 0; l < kLanes; ++l) all += shared[threadIdx.x + l];
      dots[i] = all;
    }
    __syncthreads();
  }
}

/// w -= sum over i < count of dots[i] q_i.
__device__ void remove(const double* q, std::int64_t m, std::int64_t count, const double* dots,
                       double* w) {
  for (std::int64_t t = threadIdx.x; t < m; t += kThreads) {
    double value = w[t];
    for (std::int64_t i = 0; i < count; ++i) value -= dots[i] * q[i * m + t];
    w[t] = value;
  }
  __syncthreads();
}

__device__ double norm(const double* w, std::int64_t m, double* shared) {
  double sum = 0;
  for (std::int64_t t = threadIdx.x; t < m; t += kThreads) sum += w[t] * w[t];
  return sqrt(block_sum(sum, shared));
}

__global__ void orthonormalise_kernel(Blocks blocks, double negligible, const double* scale_squared,
                                      double* r) {
  __shared__ double shared[kThreads];
  __shared__ double dots[kWidestBlock];
  const std::int64_t m = blocks.m, width = blocks.width;
  double* q = blocks.w + blockIdx.x * blocks.step;
  double* factor = r + blockIdx.x * width * width;
  const double least = negligible * sqrt(scale_squared[blockIdx.x]);
  for (std::int64_t j = 0; j < width; ++j) {
    double* w = q + j * m;
    for (std::int64_t i = threadIdx.x; i < width; i += kThreads) factor[j * width + i] = 0;
    __syncthreads();
    for (int pass = 0; pass < 2; ++pass) {
      dot_with(q, m, j, w, shared, dots);
      remove(q, m, j, dots, w);
      for (std::int64_t i = threadIdx.x; i < j; i += kThreads) factor[j * width + i] += dots[i];
      __syncthreads();
    }
    const double length = norm(w, m, shared);
    const bool is_kept = length > least;
    for (std::int64_t t = threadIdx.x; t < m; t += kThreads) w[t] = is_kept ? w[t] / length : 0.0;
    if (threadIdx.x == 0) factor[j * width + j] = is_kept ? length : 0.0;
    __syncthreads();
  }
}

}  // namespace

void orthonormalise(const Blocks& blocks, double negligible, const double* scale_squared, double* r,
                    Stream* stream) {
  Grid grid;
  grid.blocks = static_cast<unsigned>(blocks.slots);
  launch(orthonormalise_kernel, grid, stream, blocks, negligible, scale_squared, r);
}

}  // namespace koine::kernels
