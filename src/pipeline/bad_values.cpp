#include "pipeline/bad_values.hpp"

#include <fmt/format.h>

#include "backend/elementwise.hpp"
#include "core/error.hpp"

namespace koine::pipeline {

void throw_nonfinite(const std::string& path, const std::string& tensor, std::int64_t index) {
  throw InputError(fmt::format(
      "{}: tensor '{}' has a value that is not finite at flat index {}; repair the checkpoint "
      "or pass --allow-nonfinite",
      path, tensor, index));
}

void throw_overflow(const std::string& tensor, DType dtype, std::int64_t first,
                    std::span<const double> values) {
  std::byte one[8];
  std::size_t i = 0;
  while (i + 1 < values.size() && backend::round_to(dtype, values.subspan(i, 1), one) == 0) ++i;
  throw InputError(fmt::format(
      "tensor '{}' at flat index {}: {:g} overflows {}; choose out_dtype bfloat16 or float32, or "
      "pass --allow-nonfinite",
      tensor, first + static_cast<std::int64_t>(i), values[i], recipe_name(dtype)));
}

}  // namespace koine::pipeline
