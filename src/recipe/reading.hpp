#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "recipe/document.hpp"
#include "recipe/keys.hpp"
#include "recipe/method_table.hpp"
#include "recipe/problems.hpp"
#include "recipe/recipe.hpp"

namespace koine::recipe {

/// A recipe while it is being read: what the readers of its sections share.
struct Reading {
  Problems& problems;
  Recipe recipe;
  const Method* method = nullptr;  ///< nullptr where merge_method is missing or unknown
  std::filesystem::path folder;    ///< of the recipe file
  std::map<std::string, Place>
      written{};  ///< settings the user gave: "parameters.rank", "models[1].name" …
  std::vector<std::string> unused{};      ///< known parameters that the method does not use
  std::vector<std::size_t> experts_at{};  ///< where each expert stands in the file's list of models
  std::size_t base_at = 0;                ///< where the base stands there, if Recipe::base_listed

  void warn(const Place& place, const std::string& text);
  void note_unused(const std::string& parameter);
};

/// What one `parameters` map gives.
struct Parameters {
  std::optional<ParameterValue> weight, density, lambda;
  std::optional<RankValue> rank;
  std::optional<bool> normalize;
};

/// @param section parameters or model_parameters
/// @param prefix  of the keys in Reading::written: "parameters." or "models[2].parameters."
[[nodiscard]] Parameters read_parameters(const Node* node, Section section,
                                         const std::string& prefix, Reading& reading);

/// Defaults of everything in `parameters`. @pre models are read
void settle_parameters(const Parameters& global, const Node& root, Reading& reading);

/// Fills base, models, base_listed and what belongs to it; weights are completed by the global one.
void read_models(const Node& root, const Parameters& global, Reading& reading);

/// Keeps ReadOptions::experts, in the recipe's order, and gives them ReadOptions::weights.
/// @param place how problems name the two. @pre models are read
void choose_experts(const ReadOptions& options, const Place& place, Reading& reading);

/// Finds what is wrong with the values of a tree of a recipe that holds no models and no output.
void check_settings(const Node& root, Problems& problems);

/// mergekit's keys that shape nothing here: refuses slices and modules, warns of tokenizer
/// settings.
void read_mergekit_keys(const Node& root, Reading& reading);

/// Fills Recipe::settings: every setting with the place that decided it.
void list_settings(Reading& reading);

}  // namespace koine::recipe
