#include "recipe/flow.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>

#include <fmt/format.h>

#include "recipe/values.hpp"

namespace koine::recipe {
namespace {

bool is_one_of(const std::string& text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [&text](std::string_view word) {
    return std::equal(text.begin(), text.end(), word.begin(), word.end(), [](char a, char b) {
      return std::tolower(static_cast<unsigned char>(a)) == b;
    });
  });
}

/// Our own reader takes it for this text without quotes: it knows no booleans and no numbers.
bool needs_no_quotes(const std::string& text) {
  constexpr std::string_view kMarks = "_-./%";
  if (text.empty() || text[0] == '-' || text[0] == '%' || is_one_of(text, {"null"})) return false;
  return std::all_of(text.begin(), text.end(), [kMarks](unsigned char c) {
    return std::isalnum(c) != 0 || kMarks.find(static_cast<char>(c)) != std::string_view::npos;
  });
}

std::string quoted(const std::string& text) {
  std::string all = "\"";
  for (const char c : text) {
    if (c == '\n' || c == '\t') {
      all += c == '\n' ? "\\n" : "\\t";
      continue;
    }
    if (c == '"' || c == '\\') all += '\\';
    all += c;
  }
  return all + '"';
}

bool is_whole_text(const std::string& text) {
  return text == "0" || (!text.empty() && text[0] != '0' &&
                         std::all_of(text.begin(), text.end(),
                                     [](unsigned char c) { return std::isdigit(c) != 0; }));
}

/// The shortest form of a number or a share; the text itself where it is neither.
std::string shortened(const Node& node) {
  if (is_whole_text(node.text)) return node.text;  // a seed need not fit a double
  if (const auto value = number_of(node); value && std::isfinite(*value))
    return dotted(number_text(*value == 0 ? 0.0 : *value));
  if (!node.text.ends_with('%')) return node.text;
  Node number = node;
  number.text.pop_back();
  const auto percent = number_of(number);
  return percent && std::isfinite(*percent) ? percent_text(*percent / 100) : node.text;
}

std::string scalar_text(const Node& node, bool has_numbers) {
  const std::string text = has_numbers ? shortened(node) : node.text;
  const bool is_number = has_numbers && text != node.text;
  return is_number || needs_no_quotes(text) || (has_numbers && number_of(node)) ? text
                                                                                : quoted(text);
}

}  // namespace

bool is_plain_word(const std::string& text) {
  if (text.empty() || std::isalpha(static_cast<unsigned char>(text[0])) == 0) return false;
  const bool is_simple = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.' || c == '/';
  });
  return is_simple &&
         !is_one_of(text, {"true", "false", "yes", "no", "on", "off", "null", "y", "n"});
}

std::string dotted(std::string number) {
  const auto exponent = number.find('e');
  if (exponent != std::string::npos && number.find('.') == std::string::npos)
    number.insert(exponent, ".0");
  return number;
}

std::string flow_text(const Node& node, bool has_numbers) {
  if (node.is_null()) return "null";
  if (node.is_scalar()) return scalar_text(node, has_numbers);
  std::string inside;
  for (const Node& item : node.items)
    inside += fmt::format("{}{}", inside.empty() ? "" : ", ", flow_text(item, has_numbers));
  for (const Field& field : node.fields) {
    inside += fmt::format("{}{}: {}", inside.empty() ? "" : ", ",
                          needs_no_quotes(field.key) ? field.key : quoted(field.key),
                          flow_text(field.value, has_numbers));
  }
  return node.is_map() ? "{" + inside + "}" : "[" + inside + "]";
}

}  // namespace koine::recipe
