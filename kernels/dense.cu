#include <algorithm>
#include <string>
#include <type_traits>

#include "core/rules.hpp"
#include "kernels/check.cuh"
#include "kernels/dense.hpp"

namespace koine::kernels {
namespace {

constexpr std::int64_t kThreads = 256;
constexpr std::int64_t kMaxBlocks = 65535;

cudaStream_t as_cuda(Stream* stream) {
  return reinterpret_cast<cudaStream_t>(stream);
}

unsigned blocks_for(std::int64_t count) {
  return static_cast<unsigned>(std::min((count + kThreads - 1) / kThreads, kMaxBlocks));
}

__device__ std::int64_t first_index() {
  return blockIdx.x * static_cast<std::int64_t>(blockDim.x) + threadIdx.x;
}
__device__ std::int64_t index_step() {
  return static_cast<std::int64_t>(gridDim.x) * blockDim.x;
}

struct F32 {
  using Bits = float;
  static __device__ float widen(Bits bits) { return bits; }
  static __device__ Bits round(double value) { return rules::round_f32(value); }
};

struct F16 {
  using Bits = std::uint16_t;
  static __device__ float widen(Bits bits) { return rules::widen_f16(bits); }
  static __device__ Bits round(double value) { return rules::round_f16(value); }
};

struct Bf16 {
  using Bits = std::uint16_t;
  static __device__ float widen(Bits bits) { return rules::widen_bf16(bits); }
  static __device__ Bits round(double value) { return rules::round_bf16(value); }
};

template <typename Expert, typename Base>
__global__ void task_vector_kernel(const typename Expert::Bits* expert,
                                   const typename Base::Bits* base, float* tau,
                                   std::int64_t count) {
  for (std::int64_t i = first_index(); i < count; i += index_step()) {
    tau[i] = rules::task_vector(Expert::widen(expert[i]), Base::widen(base[i]));
  }
}

__global__ void accumulate_kernel(double weight, const float* m, double* sum, std::int64_t count) {
  for (std::int64_t i = first_index(); i < count; i += index_step())
    sum[i] = rules::accumulate(sum[i], weight, m[i]);
}

template <typename Base, typename Out>
__global__ void round_merged_kernel(const typename Base::Bits* base, double lambda,
                                    const double* sum, typename Out::Bits* out,
                                    std::int64_t count) {
  for (std::int64_t i = first_index(); i < count; i += index_step()) {
    out[i] = Out::round(rules::merged(static_cast<double>(Base::widen(base[i])), lambda, sum[i]));
  }
}

/// Calls `work` with the format's type as its argument.
template <typename Work>
void with_format(DType dtype, Work&& work) {
  switch (dtype) {
    case DType::f32:
      return work(F32{});
    case DType::f16:
      return work(F16{});
    case DType::bf16:
      return work(Bf16{});
    default:
      throw DeviceError("the CUDA kernels take float32, float16 and bfloat16, not " +
                        std::string(recipe_name(dtype)) + "; use --backend cpu");
  }
}

}  // namespace

void task_vector(RawArray expert, RawArray base, float* tau, std::int64_t count, Stream* stream) {
  if (count == 0) return;
  with_format(expert.dtype, [&](auto expert_format) {
    with_format(base.dtype, [&](auto base_format) {
      using Expert = decltype(expert_format);
      using Base = decltype(base_format);
      task_vector_kernel<Expert, Base><<<blocks_for(count), kThreads, 0, as_cuda(stream)>>>(
          static_cast<const typename Expert::Bits*>(expert.data),
          static_cast<const typename Base::Bits*>(base.data), tau, count);
      cuda::check(cudaGetLastError());
    });
  });
}

void accumulate(double weight, const float* m, double* sum, std::int64_t count, Stream* stream) {
  if (count == 0) return;
  accumulate_kernel<<<blocks_for(count), kThreads, 0, as_cuda(stream)>>>(weight, m, sum, count);
  cuda::check(cudaGetLastError());
}

void round_merged(const MergeTerms& terms, RawOutput out, std::int64_t count, Stream* stream) {
  if (count == 0) return;
  with_format(terms.base.dtype, [&](auto base_format) {
    with_format(out.dtype, [&](auto out_format) {
      using Base = decltype(base_format);
      using Out = decltype(out_format);
      round_merged_kernel<Base, Out><<<blocks_for(count), kThreads, 0, as_cuda(stream)>>>(
          static_cast<const typename Base::Bits*>(terms.base.data), terms.lambda, terms.sum,
          static_cast<typename Out::Bits*>(out.data), count);
      cuda::check(cudaGetLastError());
    });
  });
}

}  // namespace koine::kernels
