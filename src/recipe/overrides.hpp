#pragma once

#include <string>
#include <vector>

#include "recipe/document.hpp"
#include "recipe/recipe.hpp"

namespace koine::recipe {

/// How messages name each value of the command line: "--set parameters.rank=7", then "--output" if
/// it was given.
[[nodiscard]] std::vector<std::string> labels_of(const ReadOptions& options);

/// Writes the command line's values into the recipe's tree, in order; a later one wins. What is
/// wrong with them is added to `problems`; whether a key is known is the reader's to say.
void apply_overrides(Node& root, const ReadOptions& options, Problems& problems);

}  // namespace koine::recipe
