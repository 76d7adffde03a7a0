#pragma once

#include <string>

#include "core/json.hpp"

namespace koine::report {

/// The head of a sweep's page, as HTML: the best point with its settings, how it stands against
/// base and experts, what to type next, how many points there are and what went wrong.
/// `results` as in sweep_html.
[[nodiscard]] std::string sweep_answer(const Json& results);

/// A member's text; "" where it is absent or not a text.
[[nodiscard]] std::string text_in(const Json& object, const char* key);

}  // namespace koine::report
