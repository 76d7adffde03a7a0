#pragma once

#include <algorithm>
#include <cstdint>

#include <cuda_runtime.h>

/// Which thread does what, and sums over a block. Every loop strides, so that any size works.
namespace koine::kernels {

inline constexpr unsigned kThreads = 256;
inline constexpr std::int64_t kMostBlocks = 65535;
inline constexpr std::int64_t kTile = 4096;  ///< elements that a block takes in one go

struct Grid {
  unsigned blocks = 1;
  unsigned slots = 1;  ///< matrices of a batch: blockIdx.y
  unsigned threads = kThreads;
};

/// A thread per element.
inline Grid elements(std::int64_t count) {
  return {static_cast<unsigned>(std::min((count + kThreads - 1) / kThreads, kMostBlocks))};
}
inline std::int64_t tile_count(std::int64_t count) {
  return (count + kTile - 1) / kTile;
}
/// A block per tile.
inline Grid tiles(std::int64_t count) {
  return {static_cast<unsigned>(std::min(tile_count(count), kMostBlocks))};
}

__device__ inline std::int64_t first_index() {
  return blockIdx.x * static_cast<std::int64_t>(blockDim.x) + threadIdx.x;
}
__device__ inline std::int64_t index_step() {
  return static_cast<std::int64_t>(gridDim.x) * blockDim.x;
}

/// `value` of all threads of the block, joined two by two in a tree that is always the same; known
/// to all of them. Every thread must call it.  @pre blockDim.x is a power of two
template <typename T, typename Join>
__device__ T over_block(T value, T* shared, Join join) {
  shared[threadIdx.x] = value;
  __syncthreads();
  for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
    if (threadIdx.x < half)
      shared[threadIdx.x] = join(shared[threadIdx.x], shared[threadIdx.x + half]);
    __syncthreads();
  }
  const T all = shared[0];
  __syncthreads();  // before the array is used again
  return all;
}

template <typename T>
__device__ T block_sum(T value, T* shared) {
  return over_block(value, shared, [](T a, T b) { return a + b; });
}

template <typename T>
__device__ T block_max(T value, T* shared) {
  return over_block(value, shared, [](T a, T b) { return a < b ? b : a; });
}

/// Adds term(i) over one tile; each thread every kThreads-th element, in order.
template <typename T, typename Term>
__device__ T tile_sum(std::int64_t tile, std::int64_t count, T* shared, Term term) {
  const std::int64_t end = tile * kTile + kTile < count ? tile * kTile + kTile : count;
  T sum = 0;
  for (std::int64_t i = tile * kTile + threadIdx.x; i < end; i += kThreads) sum += term(i);
  return block_sum(sum, shared);
}

}  // namespace koine::kernels
