#pragma once

#include <string_view>

namespace koine::checkpoint {

/// Well-formed UTF-8 (no overlong forms, no surrogates) without control characters: fit for a name
/// in JSON and on a terminal.
[[nodiscard]] bool is_clean_utf8(std::string_view text) noexcept;

}  // namespace koine::checkpoint
