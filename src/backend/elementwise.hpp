#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/dtype.hpp"

/// Loops of rules.hpp over raw tensor bytes, on the CPU. All spans of one call have one length;
/// none overlap.
namespace koine::backend {

/// Elements as a checkpoint stores them.
struct RawSpan {
  DType dtype = DType::f32;
  std::span<const std::byte> bytes;
};

/// out_i = float32(raw_i).  @pre raw.dtype is a float type
void widen(RawSpan raw, std::span<float> out);

/// tau_i = float32(expert_i) - float32(base_i), one rounding.  `base` is widened already.
void task_vector(RawSpan expert, std::span<const float> base, std::span<float> tau);

/// sum_i += weight * double(m_i), product and sum rounded separately.
void accumulate(double weight, std::span<const float> m, std::span<double> sum);

/// value_i = double(base_i) + lambda * sum_i, product and sum rounded separately; base as stored,
/// exact.
void add_to_base(RawSpan base, double lambda, std::span<double> sum_to_value);

/// Rounds once to `dtype`. Returns how many finite values became infinite.
std::int64_t round_to(DType dtype, std::span<const double> value, std::span<std::byte> out);

/// The first element that is not finite, if there is one.
[[nodiscard]] std::optional<std::int64_t> first_nonfinite(std::span<const float> values) noexcept;

}  // namespace koine::backend
