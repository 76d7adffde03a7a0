#include "core/rules.hpp"
#include "kernels/figures.hpp"
#include "kernels/formats.cuh"
#include "kernels/launch.cuh"

namespace koine::kernels {
namespace {

__global__ void squares_kernel(const float* x, std::int64_t count, double* partials,
                               std::uint32_t* largest) {
  __shared__ double shared[kThreads];
  __shared__ std::uint32_t keys[kThreads];
  std::uint32_t mine = 0;
  for (std::int64_t tile = blockIdx.x; tile * kTile < count; tile += gridDim.x) {
    const double sum = tile_sum(tile, count, shared, [&](std::int64_t i) {
      const std::uint32_t key = rules::magnitude_key(x[i]);
      mine = key > mine ? key : mine;
      const double wide = x[i];
      return wide * wide;
    });
    if (threadIdx.x == 0) partials[tile] = sum;
  }
  mine = block_max(mine, keys);
  if (threadIdx.x == 0) atomicMax(largest, mine);
}

__global__ void wide_squares_kernel(const double* x, std::int64_t count, std::int64_t step,
                                    double* partials, std::int64_t tiles_each) {
  __shared__ double shared[kThreads];
  const double* mine = x + blockIdx.y * step;
  for (std::int64_t tile = blockIdx.x; tile * kTile < count; tile += gridDim.x) {
    const double sum =
        tile_sum(tile, count, shared, [&](std::int64_t i) { return mine[i] * mine[i]; });
    if (threadIdx.x == 0) partials[blockIdx.y * tiles_each + tile] = sum;
  }
}

/// sum[slot] <- the slot's partial sums, each thread every kThreads-th, in order. One block a slot.
__global__ void add_partials_kernel(const double* partials, std::int64_t count, double* sum) {
  __shared__ double shared[kThreads];
  const double* mine = partials + blockIdx.y * count;
  double value = 0;
  for (std::int64_t i = threadIdx.x; i < count; i += kThreads) value += mine[i];
  value = block_sum(value, shared);
  if (threadIdx.x == 0) sum[blockIdx.y] = value;
}

template <typename Base>
__global__ void delta_sums_kernel(const typename Base::Bits* base, const double* delta,
                                  std::int64_t count, double* dots, double* squared) {
  __shared__ double shared[kThreads];
  for (std::int64_t tile = blockIdx.x; tile * kTile < count; tile += gridDim.x) {
    const double dot = tile_sum(tile, count, shared, [&](std::int64_t i) {
      return static_cast<double>(Base::widen(base[i])) * delta[i];
    });
    const double square =
        tile_sum(tile, count, shared, [&](std::int64_t i) { return delta[i] * delta[i]; });
    if (threadIdx.x == 0) {
      dots[tile] = dot;
      squared[tile] = square;
    }
  }
}

__global__ void count_signs_kernel(const std::uint8_t* seen, std::int64_t count,
                                   ResultFigures* to) {
  __shared__ unsigned long long shared[kThreads];
  unsigned long long total = 0, agree = 0;
  for (std::int64_t i = first_index(); i < count; i += index_step()) {
    total += (seen[i] >> 2U) & 1U;
    agree += seen[i] == 5 || seen[i] == 6 ? 1 : 0;
  }
  total = block_sum(total, shared);
  agree = block_sum(agree, shared);
  if (threadIdx.x != 0) return;
  atomicAdd(&to->signs_total, total);
  atomicAdd(&to->signs_agree, agree);
}

template <typename Base, typename Out>
__global__ void count_overflows_kernel(const typename Base::Bits* base, double lambda,
                                       const double* sum, const typename Out::Bits* out,
                                       std::int64_t count, ResultFigures* to) {
  __shared__ unsigned long long shared[kThreads];
  unsigned long long overflows = 0;
  for (std::int64_t i = first_index(); i < count; i += index_step()) {
    const double value = rules::merged(static_cast<double>(Base::widen(base[i])), lambda, sum[i]);
    const bool is_finite =
        (rules::bits_as<std::uint64_t>(value) & 0x7FFFFFFFFFFFFFFFULL) < 0x7FF0000000000000ULL;
    const bool is_infinite = rules::magnitude_key(Out::widen(out[i])) == 0x7F800000U;
    overflows += is_finite && is_infinite ? 1 : 0;
  }
  overflows = block_sum(overflows, shared);
  if (threadIdx.x == 0) atomicAdd(&to->overflows, overflows);
}

void count_overflows(const Result& result, std::int64_t count, ResultFigures* to, Stream* stream) {
  with_format(result.terms.base.dtype, [&](auto base_format) {
    with_format(result.out.dtype, [&](auto out_format) {
      using Base = decltype(base_format);
      using Out = decltype(out_format);
      launch(count_overflows_kernel<Base, Out>, elements(count), stream,
             static_cast<const typename Base::Bits*>(result.terms.base.data), result.terms.lambda,
             result.terms.sum, static_cast<const typename Out::Bits*>(result.out.data), count, to);
    });
  });
}

}  // namespace

std::int64_t partial_sums(std::int64_t count) noexcept {
  return tile_count(count) + 1;  // one more: never none
}

void squares(const float* x, std::int64_t count, const Squares& to, Stream* stream) {
  cuda::check(cudaMemsetAsync(to.largest, 0, sizeof *to.largest, as_cuda(stream)));
  if (count > 0) launch(squares_kernel, tiles(count), stream, x, count, to.partials, to.largest);
  launch(add_partials_kernel, Grid{}, stream, to.partials, tile_count(count), to.sum);
}

void squares(const Arrays& arrays, double* sum, double* partials, Stream* stream) {
  Grid grid = tiles(arrays.count), one_each;
  grid.slots = one_each.slots = static_cast<unsigned>(arrays.slots);
  const std::int64_t each = tile_count(arrays.count);
  if (each > 0) {
    launch(wide_squares_kernel, grid, stream, arrays.x, arrays.count, arrays.step, partials, each);
  }
  launch(add_partials_kernel, one_each, stream, partials, each, sum);
}

void result_figures(const Result& result, std::int64_t count, ResultFigures* to, double* partials,
                    Stream* stream) {
  cuda::check(cudaMemsetAsync(to, 0, sizeof *to, as_cuda(stream)));
  if (count == 0) return;
  double* squared = partials + tile_count(count);
  with_format(result.terms.base.dtype, [&](auto format) {
    using Base = decltype(format);
    launch(delta_sums_kernel<Base>, tiles(count), stream,
           static_cast<const typename Base::Bits*>(result.terms.base.data), result.terms.sum, count,
           partials, squared);
  });
  launch(add_partials_kernel, Grid{}, stream, partials, tile_count(count), &to->base_dot_delta);
  launch(add_partials_kernel, Grid{}, stream, squared, tile_count(count), &to->delta_squared);
  launch(count_signs_kernel, elements(count), stream, result.seen, count, to);
  count_overflows(result, count, to, stream);
}

}  // namespace koine::kernels
