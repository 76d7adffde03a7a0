#include "core/shape.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace koine {

std::int64_t numel(const Shape& shape) noexcept {
  std::int64_t product = 1;
  for (const std::int64_t extent : shape) product *= extent;
  return product;
}

std::optional<std::int64_t> checked_numel(const Shape& shape) noexcept {
  std::int64_t product = 1;
  bool is_empty = false;
  for (const std::int64_t extent : shape) {
    if (extent < 0) return std::nullopt;
    if (extent == 0)
      is_empty = true;
    else if (__builtin_mul_overflow(product, extent, &product) || product > (std::int64_t{1} << 62))
      return std::nullopt;
  }
  return is_empty ? 0 : product;
}

std::string to_string(const Shape& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

}  // namespace koine
