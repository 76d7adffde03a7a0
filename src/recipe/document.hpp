#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "recipe/problems.hpp"

namespace koine::recipe {

struct Field;

/// A YAML value with anchors expanded and the place where it was written. Owns everything below it.
struct Node {
  enum class Kind : std::uint8_t { null, scalar, list, map } kind = Kind::null;
  std::string text{};  ///< of a scalar, always UTF-8 as written
  std::vector<Node> items{};
  std::vector<Field> fields;  ///< in the order of the file, each key once
  Place place{};
  std::size_t count = 1;  ///< values in this tree, itself included; a long text counts for more

  [[nodiscard]] bool is_null() const noexcept { return kind == Kind::null; }
  [[nodiscard]] bool is_scalar() const noexcept { return kind == Kind::scalar; }
  [[nodiscard]] bool is_list() const noexcept { return kind == Kind::list; }
  [[nodiscard]] bool is_map() const noexcept { return kind == Kind::map; }
  /// The value under a key; null (an empty key) counts as absent. Nothing where this is no map.
  [[nodiscard]] const Node* find(std::string_view key) const;
};

struct Field {
  std::string key;
  Place place;  ///< of the key
  Node value;
};

/// A control character that no text of a recipe may hold (tab and newline may).
[[nodiscard]] bool is_control(char c);

/// Bytes of the first UTF-8 character; 0 where it is malformed. @pre text is not empty
[[nodiscard]] std::size_t utf8_length(std::string_view text);

/// Parses one YAML document: at most 32 levels and 100,000 values (and 10 MB of text) after
/// expanding aliases, no tags but YAML's own, no repeated keys; merge keys (<<) work. Cost: linear
/// in the expanded size.
/// @param source which Place::source its values get
/// @throws InputError for what is no YAML; repeated keys and foreign tags are added to `problems`
/// instead
[[nodiscard]] Node parse_document(const std::string& text, std::size_t source, Problems& problems);

}  // namespace koine::recipe
