#pragma once

#include <cstdint>

#include "core/dtype.hpp"
#include "kernels/stream.hpp"

/// Element-wise kernels over device memory: loops around core/rules.hpp, so that equal inputs give
/// the host's bits. All arrays of one call have `count` elements and do not overlap; the caller
/// owns them and keeps them until the stream has passed the call. Cost: one read and one write of
/// memory. Asynchronous, local.
namespace koine::kernels {

/// Elements as a checkpoint stores them, in device memory.
struct RawArray {
  const void* data = nullptr;
  DType dtype = DType::f32;
};

struct RawOutput {
  void* data = nullptr;
  DType dtype = DType::f32;
};

/// out_i = float32(raw_i), exact.
/// @throws DeviceError if the launch fails or the dtype is not f32, f16 or bf16
void widen(RawArray raw, float* out, std::int64_t count, Stream* stream);

/// tau_i = float32(expert_i) - float32(base_i), one rounding.
/// @throws DeviceError if the launch fails or a dtype is not f32, f16 or bf16
void task_vector(RawArray expert, RawArray base, float* tau, std::int64_t count, Stream* stream);

/// sum_i += weight * double(m_i), product and sum rounded separately.
/// @throws DeviceError if the launch fails
void accumulate(double weight, const float* m, double* sum, std::int64_t count, Stream* stream);

/// seen_i with the sign of m_i (rules::see_sign).  @throws DeviceError if the launch fails
void note_signs(const float* m, std::uint8_t* seen, std::int64_t count, Stream* stream);

/// sum_i /= divisor.  @throws DeviceError if the launch fails
void divide(double* sum, double divisor, std::int64_t count, Stream* stream);

/// What round_merged works on: W_0 as stored, and the summed task vectors.
struct MergeTerms {
  RawArray base;
  const double* sum = nullptr;
  double lambda = 1;
};

/// out_i = round_to_dtype(double(base_i) + lambda * sum_i), product and sum rounded separately in
/// float64, then one rounding to out.dtype. NaN comes out as a NaN whose payload is the device's
/// own.
/// @throws DeviceError if the launch fails or a dtype is not f32, f16 or bf16
void round_merged(const MergeTerms& terms, RawOutput out, std::int64_t count, Stream* stream);

}  // namespace koine::kernels
