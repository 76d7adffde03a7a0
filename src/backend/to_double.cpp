#include "backend/to_double.hpp"

#include <cstring>
#include <vector>

namespace koine::backend {
namespace {

template <typename T>
void convert(std::span<const std::byte> bytes, std::span<double> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    out[i] = static_cast<double>(value);
  }
}

}  // namespace

void to_double(RawSpan raw, std::span<double> out) {
  switch (raw.dtype) {
    case DType::f64:
      return convert<double>(raw.bytes, out);
    case DType::f32:
      return convert<float>(raw.bytes, out);
    case DType::f16:
    case DType::bf16: {
      std::vector<float> narrow(out.size());
      widen(raw, narrow);
      std::copy(narrow.begin(), narrow.end(), out.begin());
      return;
    }
    case DType::i64:
      return convert<std::int64_t>(raw.bytes, out);
    case DType::i32:
      return convert<std::int32_t>(raw.bytes, out);
    case DType::i16:
      return convert<std::int16_t>(raw.bytes, out);
    case DType::i8:
      return convert<std::int8_t>(raw.bytes, out);
    case DType::u64:
      return convert<std::uint64_t>(raw.bytes, out);
    case DType::u32:
      return convert<std::uint32_t>(raw.bytes, out);
    case DType::u16:
      return convert<std::uint16_t>(raw.bytes, out);
    case DType::u8:
    case DType::boolean:
      return convert<std::uint8_t>(raw.bytes, out);
  }
}

}  // namespace koine::backend
