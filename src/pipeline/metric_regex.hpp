#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace koine::pipeline {

/// @throws InputError where the regex is none, or has no group
void check_metric_regex(const std::string& regex);

/// What the first group holds in the last match, a line at a time from the end: in the last MiB of
/// `output` and the last 4 KiB of a line. @throws as check_metric_regex
[[nodiscard]] std::optional<std::string> last_match(std::string_view output,
                                                    const std::string& regex);

/// A finite decimal number and nothing more, but for the full stop that ends a sentence.
[[nodiscard]] std::optional<double> metric_number(std::string_view text);

}  // namespace koine::pipeline
