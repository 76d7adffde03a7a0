#include "recipe/overrides.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include <fmt/format.h>

namespace koine::recipe {
namespace {

constexpr std::size_t kDeepestKey = 8;

/// "models[0].parameters.weight" and "models.0.parameters.weight" -> models, 0, parameters, weight.
std::vector<std::string> split_key(std::string_view key) {
  std::vector<std::string> parts(1);
  for (const char c : key) {
    if (c == '.' || c == '[') {
      parts.emplace_back();
    } else if (c != ']') {
      parts.back() += c;
    }
  }
  return parts;
}

bool is_index(const std::string& part) {
  return !part.empty() && part.size() < 6 &&
         std::all_of(part.begin(), part.end(),
                     [](unsigned char c) { return std::isdigit(c) != 0; });
}

/// The value under `part`, made where a map does not have it; nullptr, with a problem, where it
/// cannot be.
Node* step(Node& node, const std::string& part, const Place& place, Problems& problems) {
  if (node.is_list()) {
    if (is_index(part) && std::stoul(part) < node.items.size())
      return &node.items[std::stoul(part)];
    problems.add(place, fmt::format("the list has {} entries, counted from 0; there is no {}",
                                    node.items.size(), shown(part)));
    return nullptr;
  }
  if (node.is_null()) {
    node.kind = Node::Kind::map;
    node.place = place;
  }
  if (!node.is_map()) {
    problems.add(place, fmt::format("{} is inside a value that has no keys", shown(part)));
    return nullptr;
  }
  for (Field& field : node.fields) {
    if (field.key == part) return &field.value;
  }
  node.fields.push_back(Field{.key = part, .place = place, .value = {}});
  return &node.fields.back().value;
}

void place_value(Node& root, const std::vector<std::string>& parts, Node value,
                 Problems& problems) {
  const Place place = value.place;
  Node* at = &root;
  for (const std::string& part : parts) {
    at = step(*at, part, place, problems);
    if (at == nullptr) return;
  }
  *at = std::move(value);
}

void apply(Node& root, const std::string& text, std::size_t source, Problems& problems) {
  const Place place{source, 1, 1};
  const auto equals = text.find('=');
  const auto parts = split_key(std::string_view(text).substr(0, equals));
  const bool is_empty =
      std::any_of(parts.begin(), parts.end(), [](const auto& part) { return part.empty(); });
  if (equals == std::string::npos || is_empty || parts.size() > kDeepestKey) {
    problems.add(place, "expected KEY=VALUE, as in --set parameters.rank=7");
    return;
  }
  place_value(root, parts, parse_document(text.substr(equals + 1), source, problems), problems);
}

}  // namespace

std::vector<std::string> labels_of(const ReadOptions& options) {
  std::vector<std::string> labels;
  for (const std::string& text : options.overrides) {
    const std::string label = shown(text);
    labels.push_back("--set " + label.substr(1, label.size() - 2));
  }
  labels.insert(labels.end(), options.settings.size(), options.settings_label);
  if (!options.output.empty()) labels.emplace_back("--output");
  labels.push_back(options.settings_label);
  return labels;
}

void apply_overrides(Node& root, const ReadOptions& options, Problems& problems) {
  std::size_t source = 0;
  for (const std::string& text : options.overrides) apply(root, text, ++source, problems);
  for (const std::string& text : options.settings) apply(root, text, ++source, problems);
  if (options.output.empty()) return;
  Node value{
      .kind = Node::Kind::scalar, .text = options.output, .fields = {}, .place = {++source, 1, 1}};
  place_value(root, {"output", "path"}, std::move(value), problems);
}

}  // namespace koine::recipe
