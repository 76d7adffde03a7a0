#pragma once

#include <string>
#include <string_view>

namespace koine::recipe {

/// What is wrong with a word of `select`, as one phrase for a message; "" for a role, a glob or a
/// /regex/.
[[nodiscard]] std::string selector_problem(const std::string& word);

/// Shell-style match of the whole text: * (crosses dots), ?, [a-z], [!a-z]. Time: length of pattern
/// times text.
[[nodiscard]] bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace koine::recipe
