#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/file.hpp"

namespace koine::pipeline {

/// The last `most` bytes of a file.
[[nodiscard]] std::string read_tail(const File& file, std::int64_t most);

/// Takes the last line off `text`, without the spaces around it. A carriage return ends one too:
/// progress bars.
[[nodiscard]] std::string_view take_last_line(std::string_view& text);

/// The last line that holds anything, fit to be shown.
[[nodiscard]] std::string last_line(std::string_view text);

/// Text from outside as one line of clean UTF-8, cut after `most` bytes.
[[nodiscard]] std::string one_line(std::string_view text, std::size_t most);

}  // namespace koine::pipeline
