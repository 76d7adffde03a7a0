#pragma once

#include <cstdint>
#include <string>

#include "core/dtype.hpp"
#include "core/error.hpp"
#include "core/rules.hpp"

/// A stored format as a type, for kernels that are made once per format.
namespace koine::kernels {

struct F32 {
  using Bits = float;
  static KOINE_HD float widen(Bits bits) { return bits; }
  static KOINE_HD Bits round(double value) { return rules::round_f32(value); }
};

struct F16 {
  using Bits = std::uint16_t;
  static KOINE_HD float widen(Bits bits) { return rules::widen_f16(bits); }
  static KOINE_HD Bits round(double value) { return rules::round_f16(value); }
};

struct Bf16 {
  using Bits = std::uint16_t;
  static KOINE_HD float widen(Bits bits) { return rules::widen_bf16(bits); }
  static KOINE_HD Bits round(double value) { return rules::round_bf16(value); }
};

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

}  // namespace koine::kernels
