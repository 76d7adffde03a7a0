#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "recipe/reading.hpp"
#include "recipe/values.hpp"

namespace koine::recipe {
namespace {

/// An expert that is kept: where it stands in the recipe's experts, and which of the weights it
/// gets.
using Chosen = std::pair<std::size_t, std::size_t>;

std::vector<Chosen> all_of(const std::vector<ModelEntry>& models) {
  std::vector<Chosen> chosen;
  for (std::size_t i = 0; i < models.size(); ++i) chosen.emplace_back(i, i);
  return chosen;
}

/// In the recipe's order, whatever the order of the names.
std::vector<Chosen> chosen_among(const std::vector<ModelEntry>& models,
                                 const std::vector<std::string>& names, const Place& place,
                                 Problems& problems) {
  std::vector<Chosen> chosen;
  for (std::size_t i = 0; i < names.size(); ++i) {
    try {
      chosen.emplace_back(resolve_expert_name(models, names[i]), i);
    } catch (const InputError& error) {
      problems.add(place, fmt::format("experts: {}", error.what()));
    }
  }
  std::sort(chosen.begin(), chosen.end());
  const auto twin =
      std::adjacent_find(chosen.begin(), chosen.end(),
                         [](const Chosen& a, const Chosen& b) { return a.first == b.first; });
  if (twin != chosen.end())
    problems.add(place, fmt::format("experts: {} is named twice", shown(models[twin->first].name)));
  return chosen;
}

void keep(const std::vector<Chosen>& chosen, Reading& reading) {
  Recipe& recipe = reading.recipe;
  std::vector<ModelEntry> models;
  std::vector<std::size_t> experts_at;
  std::size_t before_base = 0;
  for (const auto& [index, ignored] : chosen) {
    if (index < recipe.base_position) ++before_base;
    models.push_back(recipe.models[index]);
    experts_at.push_back(reading.experts_at[index]);
  }
  recipe.base_position = before_base;
  recipe.models = std::move(models);
  reading.experts_at = std::move(experts_at);
}

void give_weights(const std::vector<Chosen>& chosen, const std::vector<double>& weights,
                  const Place& place, Reading& reading) {
  if (weights.size() != chosen.size()) {
    reading.problems.add(
        place, fmt::format("weights holds {} numbers for {} experts; give one each", weights.size(),
                           chosen.size()));
    return;
  }
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    reading.recipe.models[i].weight = constant(weights[chosen[i].second]);
    reading.written[fmt::format("models[{}].parameters.weight", reading.experts_at[i])] = place;
  }
}

}  // namespace

void choose_experts(const ReadOptions& options, const Place& place, Reading& reading) {
  if (reading.recipe.models.empty()) return;
  const std::vector<ModelEntry>& models = reading.recipe.models;
  const std::vector<Chosen> chosen =
      options.experts ? chosen_among(models, *options.experts, place, reading.problems)
                      : all_of(models);
  const bool is_sound = !options.experts || chosen.size() == options.experts->size();
  if (chosen.empty() && is_sound) reading.problems.add(place, "experts names no expert");
  if (options.experts) keep(chosen, reading);
  if (options.weights && is_sound) give_weights(chosen, *options.weights, place, reading);
}

}  // namespace koine::recipe
