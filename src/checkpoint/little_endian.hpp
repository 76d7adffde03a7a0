#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace koine::checkpoint {

/// The little-endian number at `at`. @pre at + sizeof(Number) <= bytes.size()
template <typename Number>
[[nodiscard]] Number load_little(std::string_view bytes, std::size_t at) noexcept {
  static_assert(std::is_integral_v<Number>);
  Number number = 0;
  for (std::size_t i = sizeof(Number); i-- > 0;) {
    const auto byte = static_cast<unsigned char>(bytes[at + i]);
    number =
        static_cast<Number>((static_cast<std::make_unsigned_t<Number>>(number) << 4U << 4U) | byte);
  }
  return number;
}

/// Appends `number`, little-endian.
template <typename Number>
void append_little(std::string& bytes, Number number) {
  static_assert(std::is_unsigned_v<Number>);
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    bytes.push_back(static_cast<char>((number >> (8 * i)) & 0xFFU));
  }
}

}  // namespace koine::checkpoint
