#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "recipe/document.hpp"

namespace koine::recipe {

/// A map of a sweep file that has keys of its own.
enum class SweepSection : std::uint8_t {
  top,
  evaluate,
  metric,
  output,
  golden,
  random,
  halving,
  range
};

/// Adds a problem for each key that does not belong here, with the nearest that does.
/// @return false where `node` is no map, which is a problem too
bool check_keys(const Node& node, SweepSection section, Problems& problems);

/// A key that stands at the top level of sweep files and nowhere in recipes.
[[nodiscard]] bool is_sweep_key(std::string_view key);

/// "rank" -> "parameters.rank", "seed" -> "seed": the recipe's key that a swept name stands for;
/// "" for experts and weights, which have none; nothing where the name cannot be swept.
[[nodiscard]] std::optional<std::string> recipe_key_of(std::string_view name);

/// "unknown key 'rnak' in grid (did you mean 'rank'?)".
[[nodiscard]] std::string unknown_name(std::string_view name, std::string_view where);

}  // namespace koine::recipe
