#include "core/rules.hpp"
#include "kernels/launch.cuh"
#include "kernels/select.hpp"

namespace koine::kernels {
namespace {

constexpr unsigned kDigits = 3;

__device__ std::uint32_t key_of(float tau, float low) {
  return rules::magnitude_key(tau - low);
}

__global__ void histogram_kernel(ResidualOf r, unsigned digit, const SearchState* state,
                                 unsigned long long* bins) {
  __shared__ unsigned mine[kSelectBins];
  for (unsigned bin = threadIdx.x; bin < kSelectBins; bin += kThreads) mine[bin] = 0;
  __syncthreads();
  const std::uint32_t prefix = state->key;
  for (std::int64_t i = first_index(); i < r.count; i += index_step()) {
    const std::uint32_t key = key_of(r.tau[i], r.low[i]);
    if (rules::begins_with(key, digit, prefix))
      atomicAdd(&mine[rules::digit_value(key, digit)], 1U);
  }
  __syncthreads();
  for (unsigned bin = threadIdx.x; bin < kSelectBins; bin += kThreads) {
    if (mine[bin] != 0) atomicAdd(&bins[bin], static_cast<unsigned long long>(mine[bin]));
  }
}

/// One block: the bins come into shared memory, one thread walks them.
__global__ void narrow_kernel(const unsigned long long* bins, unsigned digit, SearchState* state) {
  __shared__ unsigned long long near[kSelectBins];
  for (unsigned bin = threadIdx.x; bin < kSelectBins; bin += kThreads) near[bin] = bins[bin];
  __syncthreads();
  if (threadIdx.x != 0) return;
  std::int64_t left = state->left;
  std::uint32_t key = state->key;
  rules::narrow(near, digit, left, key);
  state->left = left;
  state->key = key;
}

__global__ void count_ties_kernel(Taking m, std::uint32_t key, std::int64_t* ties) {
  __shared__ std::int64_t shared[kThreads];
  for (std::int64_t tile = blockIdx.x; tile * kTile < m.count; tile += gridDim.x) {
    const std::int64_t equal = tile_sum<std::int64_t>(tile, m.count, shared, [&](std::int64_t i) {
      return key_of(m.tau[i], m.low[i]) == key ? 1 : 0;
    });
    if (threadIdx.x == 0) ties[tile] = equal;
  }
}

/// ties[t] <- the ties before tile t; one more entry: all of them. One block, each thread a
/// stretch.
__global__ void scan_kernel(std::int64_t* ties, std::int64_t tiles) {
  __shared__ std::int64_t before[kThreads];
  const std::int64_t each = (tiles + kThreads - 1) / kThreads;
  const std::int64_t first = threadIdx.x * each;
  const std::int64_t end = first + each < tiles ? first + each : tiles;
  std::int64_t sum = 0;
  for (std::int64_t t = first; t < end; ++t) sum += ties[t];
  before[threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.x == 0) {
    std::int64_t all = 0;
    for (unsigned t = 0; t < kThreads; ++t) {
      const std::int64_t own = before[t];
      before[t] = all;
      all += own;
    }
    ties[tiles] = all;
  }
  __syncthreads();
  std::int64_t running = before[threadIdx.x];
  for (std::int64_t t = first; t < end; ++t) {
    const std::int64_t own = ties[t];
    ties[t] = running;
    running += own;
  }
}

/// How many threads below this one say yes; `all`: how many of the block. Every thread must call
/// it.
__device__ std::int64_t rank_in_block(bool yes, unsigned* shared, std::int64_t& all) {
  shared[threadIdx.x] = yes ? 1 : 0;
  __syncthreads();
  for (unsigned step = 1; step < kThreads; step *= 2) {
    const unsigned other = threadIdx.x >= step ? shared[threadIdx.x - step] : 0;
    __syncthreads();
    shared[threadIdx.x] += other;
    __syncthreads();
  }
  const std::int64_t before = shared[threadIdx.x] - (yes ? 1 : 0);
  all = shared[kThreads - 1];
  __syncthreads();
  return before;
}

__global__ void take_kernel(Taking m, TakeRule rule, const std::int64_t* ties,
                            unsigned long long* taken) {
  __shared__ unsigned ranks[kThreads];
  __shared__ unsigned long long sums[kThreads];
  unsigned long long mine = 0;
  for (std::int64_t tile = blockIdx.x; tile * kTile < m.count; tile += gridDim.x) {
    std::int64_t rank = ties[tile];
    // Only a tile in which the ties run out must know their order: the same for all its threads.
    const bool is_cut = rank < rule.ties && rule.ties < ties[tile + 1];
    for (std::int64_t first = tile * kTile; first < tile * kTile + kTile; first += kThreads) {
      const std::int64_t i = first + threadIdx.x;
      const bool is_inside = i < m.count;
      const std::uint32_t key = is_inside ? key_of(m.tau[i], m.low[i]) : 0;
      std::int64_t before = rank;
      if (is_cut) {
        std::int64_t here = 0;
        before += rank_in_block(is_inside && key == rule.key, ranks, here);
        rank += here;
      }
      if (is_inside && rules::is_kept(key, rule.key, before, rule.ties)) {
        m.low[i] = m.tau[i];
        ++mine;
      }
    }
  }
  mine = block_sum(mine, sums);
  if (threadIdx.x == 0) atomicAdd(taken, mine);
}

}  // namespace

void kth_largest(const ResidualOf& residual, SearchState* state, unsigned long long* bins,
                 Stream* stream) {
  for (unsigned digit = 0; digit < kDigits; ++digit) {
    cuda::check(cudaMemsetAsync(bins, 0, kSelectBins * sizeof *bins, as_cuda(stream)));
    launch(histogram_kernel, tiles(residual.count), stream, residual, digit, state, bins);
    launch(narrow_kernel, Grid{}, stream, bins, digit, state);
  }
}

std::int64_t tie_counts(std::int64_t count) noexcept {
  return tile_count(count) + 1;
}

void take_kept(const Taking& matrices, TakeRule rule, unsigned long long* taken, std::int64_t* ties,
               Stream* stream) {
  cuda::check(cudaMemsetAsync(taken, 0, sizeof *taken, as_cuda(stream)));
  if (matrices.count == 0) return;
  launch(count_ties_kernel, tiles(matrices.count), stream, matrices, rule.key, ties);
  launch(scan_kernel, Grid{}, stream, ties, tile_count(matrices.count));
  launch(take_kernel, tiles(matrices.count), stream, matrices, rule, ties, taken);
}

}  // namespace koine::kernels
