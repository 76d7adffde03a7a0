#include "core/dtype.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace koine {
namespace {

struct Row {
  DType dtype;
  std::int64_t size;
  bool floating;
  std::string_view safetensors;
  std::string_view recipe;
};

constexpr std::array<Row, 13> kRows{{{DType::f64, 8, true, "F64", "float64"},
                                     {DType::f32, 4, true, "F32", "float32"},
                                     {DType::f16, 2, true, "F16", "float16"},
                                     {DType::bf16, 2, true, "BF16", "bfloat16"},
                                     {DType::i64, 8, false, "I64", "int64"},
                                     {DType::i32, 4, false, "I32", "int32"},
                                     {DType::i16, 2, false, "I16", "int16"},
                                     {DType::i8, 1, false, "I8", "int8"},
                                     {DType::u64, 8, false, "U64", "uint64"},
                                     {DType::u32, 4, false, "U32", "uint32"},
                                     {DType::u16, 2, false, "U16", "uint16"},
                                     {DType::u8, 1, false, "U8", "uint8"},
                                     {DType::boolean, 1, false, "BOOL", "bool"}}};

const Row& row(DType dtype) noexcept {
  return kRows[static_cast<std::size_t>(dtype)];
}

}  // namespace

std::int64_t size_of(DType dtype) noexcept {
  return row(dtype).size;
}
bool is_float(DType dtype) noexcept {
  return row(dtype).floating;
}
std::string_view safetensors_name(DType dtype) noexcept {
  return row(dtype).safetensors;
}
std::string_view recipe_name(DType dtype) noexcept {
  return row(dtype).recipe;
}

std::optional<DType> from_safetensors_name(std::string_view name) noexcept {
  for (const Row& r : kRows) {
    if (r.safetensors == name) return r.dtype;
  }
  return std::nullopt;
}

std::optional<DType> from_recipe_name(std::string_view name) noexcept {
  for (const Row& r : kRows) {
    if (r.recipe == name) return r.dtype;
  }
  return std::nullopt;
}

std::optional<DType> from_float_word(std::string_view word) {
  std::string lower(word);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  for (const std::string_view prefix : {"float", "fp", "f"}) {
    const std::string name = "float" + lower.substr(std::min(prefix.size(), lower.size()));
    const auto dtype = lower.starts_with(prefix) ? from_recipe_name(name) : std::nullopt;
    if (dtype) return dtype;
  }
  return lower == "bf16" || lower == "bfloat16" ? std::optional(DType::bf16) : std::nullopt;
}

}  // namespace koine
