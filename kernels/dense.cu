#include "core/rules.hpp"
#include "kernels/dense.hpp"
#include "kernels/formats.cuh"
#include "kernels/launch.cuh"

namespace koine::kernels {
namespace {

template <typename Format>
__global__ void widen_kernel(const typename Format::Bits* raw, float* out, std::int64_t count) {
  for (std::int64_t i = first_index(); i < count; i += index_step()) out[i] = Format::widen(raw[i]);
}

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

__global__ void note_signs_kernel(const float* m, std::uint8_t* seen, std::int64_t count) {
  for (std::int64_t i = first_index(); i < count; i += index_step())
    seen[i] = rules::see_sign(seen[i], m[i]);
}

__global__ void divide_kernel(double* sum, double divisor, std::int64_t count) {
  for (std::int64_t i = first_index(); i < count; i += index_step()) sum[i] /= divisor;
}

template <typename Base, typename Out>
__global__ void round_merged_kernel(const typename Base::Bits* base, double lambda,
                                    const double* sum, typename Out::Bits* out,
                                    std::int64_t count) {
  for (std::int64_t i = first_index(); i < count; i += index_step()) {
    out[i] = Out::round(rules::merged(static_cast<double>(Base::widen(base[i])), lambda, sum[i]));
  }
}

}  // namespace

void widen(RawArray raw, float* out, std::int64_t count, Stream* stream) {
  if (count == 0) return;
  with_format(raw.dtype, [&](auto format) {
    using Format = decltype(format);
    launch(widen_kernel<Format>, elements(count), stream,
           static_cast<const typename Format::Bits*>(raw.data), out, count);
  });
}

void task_vector(RawArray expert, RawArray base, float* tau, std::int64_t count, Stream* stream) {
  if (count == 0) return;
  with_format(expert.dtype, [&](auto expert_format) {
    with_format(base.dtype, [&](auto base_format) {
      using Expert = decltype(expert_format);
      using Base = decltype(base_format);
      launch(task_vector_kernel<Expert, Base>, elements(count), stream,
             static_cast<const typename Expert::Bits*>(expert.data),
             static_cast<const typename Base::Bits*>(base.data), tau, count);
    });
  });
}

void accumulate(double weight, const float* m, double* sum, std::int64_t count, Stream* stream) {
  if (count == 0) return;
  launch(accumulate_kernel, elements(count), stream, weight, m, sum, count);
}

void note_signs(const float* m, std::uint8_t* seen, std::int64_t count, Stream* stream) {
  if (count > 0) launch(note_signs_kernel, elements(count), stream, m, seen, count);
}

void divide(double* sum, double divisor, std::int64_t count, Stream* stream) {
  if (count > 0) launch(divide_kernel, elements(count), stream, sum, divisor, count);
}

void round_merged(const MergeTerms& terms, RawOutput out, std::int64_t count, Stream* stream) {
  if (count == 0) return;
  with_format(terms.base.dtype, [&](auto base_format) {
    with_format(out.dtype, [&](auto out_format) {
      using Base = decltype(base_format);
      using Out = decltype(out_format);
      launch(round_merged_kernel<Base, Out>, elements(count), stream,
             static_cast<const typename Base::Bits*>(terms.base.data), terms.lambda, terms.sum,
             static_cast<typename Out::Bits*>(out.data), count);
    });
  });
}

}  // namespace koine::kernels
