#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace koine {

/// Element types of checkpoints. Little-endian in every file we read or write.
enum class DType : std::uint8_t {
  f64,
  f32,
  f16,
  bf16,
  i64,
  i32,
  i16,
  i8,
  u64,
  u32,
  u16,
  u8,
  boolean
};

[[nodiscard]] std::int64_t size_of(DType dtype) noexcept;  ///< bytes of one element
[[nodiscard]] bool is_float(DType dtype) noexcept;
[[nodiscard]] std::string_view safetensors_name(
    DType dtype) noexcept;  ///< "F32", "BF16", "BOOL", …
[[nodiscard]] std::string_view recipe_name(
    DType dtype) noexcept;  ///< "float32", "bfloat16", "bool", …
[[nodiscard]] std::optional<DType> from_safetensors_name(std::string_view name) noexcept;
[[nodiscard]] std::optional<DType> from_recipe_name(std::string_view name) noexcept;
/// A float type as people name it on the command line, in any case: "float16", "fp16" or "f16",
/// "bfloat16" or "bf16", …
[[nodiscard]] std::optional<DType> from_float_word(std::string_view word);

}  // namespace koine
