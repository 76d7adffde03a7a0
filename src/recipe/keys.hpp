#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "recipe/document.hpp"

namespace koine::recipe {

/// A map of a recipe that has keys of its own.
enum class Section : std::uint8_t { top, model, parameters, model_parameters, svd, output };

[[nodiscard]] const std::vector<std::string>& keys_of(Section section);

/// Parameters that mergekit has and no method of this version uses: accepted with a warning.
[[nodiscard]] bool is_foreign_parameter(std::string_view name);

/// Every key a recipe may hold, as docs/reference/recipe.md lists them: "parameters.rank",
/// "models[].name".
[[nodiscard]] std::vector<std::string> known_keys();

/// Adds a problem for each key that does not belong here, with the nearest that does.
/// @return false where `node` is no map, which is a problem too
bool check_keys(const Node& node, Section section, Problems& problems);

}  // namespace koine::recipe
