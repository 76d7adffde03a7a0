#include "recipe/values.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "core/text.hpp"

namespace koine::recipe {
namespace {

std::optional<double> parse_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string lowered(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return text;
}

}  // namespace

bool NumberRange::holds(double value) const {
  if (!std::isfinite(value) || value < low || value > high) return false;
  if ((value == low && !is_low_allowed) || (value == high && !is_high_allowed)) return false;
  return !is_whole || value == std::floor(value);
}

std::optional<double> number_of(const Node& node) {
  return node.is_scalar() ? parse_number(node.text) : std::nullopt;
}

std::string mismatch(std::string_view label, const Node& node, std::string_view expected) {
  std::string found;
  switch (node.kind) {
    case Node::Kind::null:
      found = "empty";
      break;
    case Node::Kind::list:
      found = "a list";
      break;
    case Node::Kind::map:
      found = "a map";
      break;
    case Node::Kind::scalar:
      found = number_of(node) ? node.text : shown(node.text);
      break;
  }
  return fmt::format("{} is {}, expected {}", label, found, expected);
}

std::optional<double> read_number(const Node& node, std::string_view label,
                                  const NumberRange& range, Problems& problems) {
  const auto value = number_of(node);
  if (value && range.holds(*value)) return *value == 0 ? 0.0 : *value;  // no -0 in a recipe
  problems.add(node.place, mismatch(label, node, range.expected));
  return std::nullopt;
}

std::optional<bool> read_boolean(const Node& node, std::string_view label, Problems& problems) {
  const std::string word = node.is_scalar() ? lowered(node.text) : std::string();
  const auto number = number_of(node);
  if (word == "true" || word == "yes" || word == "on" || number == 1.0) return true;
  if (word == "false" || word == "no" || word == "off" || number == 0.0) return false;
  problems.add(node.place, mismatch(label, node, "true or false"));
  return std::nullopt;
}

std::optional<std::uint64_t> read_seed(const Node& node, std::string_view label,
                                       Problems& problems) {
  std::uint64_t seed = 0;
  const std::string& text = node.text;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (node.is_scalar() && code == std::errc() && end == text.data() + text.size()) return seed;
  problems.add(node.place, mismatch(label, node, "a whole number from 0 to 18446744073709551615"));
  return std::nullopt;
}

std::optional<std::string> read_text(const Node& node, std::string_view label, Problems& problems) {
  if (node.is_scalar() && !node.text.empty()) return node.text;
  problems.add(node.place, mismatch(label, node, "a text"));
  return std::nullopt;
}

std::optional<std::size_t> read_word(const Node& node, std::string_view label,
                                     const std::vector<std::string>& words, Problems& problems) {
  if (node.is_scalar()) {
    const auto found = std::find(words.begin(), words.end(), node.text);
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  }
  const std::string guess = node.is_scalar() ? did_you_mean(node.text, words) : std::string();
  problems.add(node.place,
               mismatch(label, node, fmt::format("{}", fmt::join(words, ", "))) + guess);
  return std::nullopt;
}

std::string number_text(double value) {
  return fmt::format("{}", value);
}

std::string percent_text(double share) {
  double percent = share * 100;
  for (int digits = 1; digits < 18; ++digits) {
    const double rounded =
        parse_number(fmt::format("{:.{}e}", share * 100, digits)).value_or(percent);
    if (rounded / 100 != share) continue;
    percent = rounded;
    break;
  }
  return number_text(percent) + "%";
}

}  // namespace koine::recipe
