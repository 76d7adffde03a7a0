#pragma once

#include <string>

#include "recipe/document.hpp"

namespace koine::recipe {

/// A word that every YAML reader takes for a text without quotes.
[[nodiscard]] bool is_plain_word(const std::string& text);

/// A number's text as every YAML reader takes it for a number: YAML 1.1 takes 1e-06 for a text, so
/// that a dot is put in.
[[nodiscard]] std::string dotted(std::string number);

/// The value on one line of YAML, which reads back as the same value: "7", "[ca, de]",
/// "{energy: 0.5}".
/// @param has_numbers texts that are numbers or shares get their shortest form ("0.20" -> "0.2");
/// false where they are names
[[nodiscard]] std::string flow_text(const Node& node, bool has_numbers);

}  // namespace koine::recipe
