#pragma once

#include <string>
#include <vector>

#include "recipe/document.hpp"
#include "recipe/recipe.hpp"

namespace koine::recipe {

/// How messages name each value that is not the file's: "--set parameters.rank=7", the label of a
/// sweep's settings for each of them, "--output" if it was given, then that label once more, for
/// experts and weights.
[[nodiscard]] std::vector<std::string> labels_of(const ReadOptions& options);

/// Writes the values of the command line and of a sweep's point into the recipe's tree, in order; a
/// later one wins. What is wrong with them is added to `problems`; whether a key is known is the
/// reader's to say.
void apply_overrides(Node& root, const ReadOptions& options, Problems& problems);

}  // namespace koine::recipe
