#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace koine {

/// Keys keep their order, so that a document has one text. Include this header in .cpp files only.
using Json = nlohmann::ordered_json;

/// Parses text from outside: no repeated key, no trailing garbage, at most 16 levels.
/// @throws InputError that begins with `where`
[[nodiscard]] Json parse_strict_json(std::string_view text, const std::string& where);

/// The one text of a document of ours: two-space indent, a final newline, doubles that read back
/// bit for bit.
[[nodiscard]] std::string to_text(const Json& document);

/// A value as it stands inside such a text, `depth` levels down; its first line is not indented.
[[nodiscard]] std::string to_piece(const Json& value, int depth);

}  // namespace koine
