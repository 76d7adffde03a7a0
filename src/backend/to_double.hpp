#pragma once

#include <span>

#include "backend/elementwise.hpp"

namespace koine::backend {

/// out_i = double(raw_i) for every dtype: exact, but for integers beyond 2^53 (rounded to nearest).
/// @pre raw.bytes.size() == out.size() * size_of(raw.dtype)
void to_double(RawSpan raw, std::span<double> out);

}  // namespace koine::backend
