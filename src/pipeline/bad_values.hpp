#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/dtype.hpp"

namespace koine::pipeline {

/// Ends a merge that met a value it may not write. @throws InputError, always
[[noreturn]] void throw_nonfinite(const std::string& path, const std::string& tensor,
                                  std::int64_t index);

/// @pre one of `values`, which begin at flat index `first` of the tensor, overflows `dtype`
/// @throws InputError naming the first of them, always
[[noreturn]] void throw_overflow(const std::string& tensor, DType dtype, std::int64_t first,
                                 std::span<const double> values);

}  // namespace koine::pipeline
