#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "core/error.hpp"
#include "recipe/flow.hpp"
#include "recipe/reading.hpp"
#include "recipe/sweep_keys.hpp"
#include "recipe/sweep_reading.hpp"
#include "recipe/values.hpp"

namespace koine::recipe {
namespace {

constexpr double kLargest = std::numeric_limits<double>::max();
constexpr NumberRange kFinite{.low = -kLargest, .high = kLargest, .expected = "a finite number"};

/// {parameters: {rank: 7}} for "parameters.rank": a recipe that holds this value alone.
Node tree_of(const std::string& key, const Node& value) {
  Node tree{.kind = Node::Kind::map, .fields = {}, .place = value.place};
  const auto dot = key.find('.');
  Node inner = dot == std::string::npos ? value : tree_of(key.substr(dot + 1), value);
  tree.fields.push_back(
      Field{.key = key.substr(0, dot), .place = value.place, .value = std::move(inner)});
  return tree;
}

/// A value that is a word or a name stays as it is written.
bool has_numbers(const std::string& key) {
  return key.starts_with("parameters.") || key == "seed" || key == "svd.tolerance";
}

/// Every name belongs to an expert, and no two to the same one.
void check_names(const Node& list, SweepReading& reading) {
  std::vector<std::size_t> seen;
  for (const Node& item : list.items) {
    if (!item.is_scalar() || !reading.experts) continue;
    try {
      const std::size_t index = resolve_expert_name(*reading.experts, item.text);
      if (std::find(seen.begin(), seen.end(), index) != seen.end())
        reading.problems.add(item.place, fmt::format("expert {} is named twice in this subset",
                                                     shown((*reading.experts)[index].name)));
      seen.push_back(index);
    } catch (const InputError& error) {
      reading.problems.add(item.place, error.what());
    }
  }
}

std::optional<std::vector<std::string>> read_names(const Node& node, SweepReading& reading) {
  if (!node.is_list() || node.items.empty()) {
    reading.problems.add(node.place,
                         mismatch("a subset of experts", node, "names such as [ca, de]"));
    return std::nullopt;
  }
  std::vector<std::string> names;
  names.reserve(node.items.size());
  for (const Node& item : node.items)
    names.push_back(read_text(item, "an expert", reading.problems).value_or(""));
  check_names(node, reading);
  return names;
}

std::optional<std::vector<double>> read_weights(const Node& node, SweepReading& reading) {
  if (!node.is_list() || node.items.empty()) {
    reading.problems.add(node.place, mismatch("a set of weights", node,
                                              "one number for each expert, such as [1, 0.5]"));
    return std::nullopt;
  }
  std::vector<double> weights;
  weights.reserve(node.items.size());
  for (const Node& item : node.items)
    weights.push_back(read_number(item, "a weight", kFinite, reading.problems).value_or(0));
  return weights;
}

}  // namespace

SweptValue make_value(const std::string& name, const Node& node) {
  const std::string key = recipe_key_of(name).value_or(name);
  SweptValue value{.name = name,
                   .text = flow_text(node, has_numbers(key) || name == "weights"),
                   .override = {},
                   .experts = {},
                   .weights = {},
                   .place = node.place};
  if (!key.empty()) value.override = fmt::format("{}={}", key, value.text);
  return value;
}

std::optional<SweptValue> read_value(const std::string& name, const Node& node,
                                     SweepReading& reading) {
  SweptValue value = make_value(name, node);
  if (name == "experts") {
    value.experts = read_names(node, reading);
    return value.experts ? std::optional(value) : std::nullopt;
  }
  if (name == "weights") {
    value.weights = read_weights(node, reading);
    return value.weights ? std::optional(value) : std::nullopt;
  }
  check_settings(tree_of(recipe_key_of(name).value_or(name), node), reading.problems);
  return value;
}

}  // namespace koine::recipe
