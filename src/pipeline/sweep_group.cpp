#include "pipeline/sweep_group.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "core/error.hpp"
#include "pipeline/point_id.hpp"

namespace koine::pipeline {
namespace {

constexpr std::size_t kIdDigits = 12;
constexpr std::size_t kMostProblems = 10;

std::string models_of(const recipe::Recipe& recipe) {
  std::string text = recipe.base ? recipe.base->path : "none";
  text += recipe.base_as_model ? fmt::format("\nbase at {}", recipe.base_position) : "";
  // A method without task vectors merges the base too where it is listed.
  text += recipe.merge_method == "linear" ? "\nlinear" : "";
  for (const recipe::ModelEntry& model : recipe.models)
    text += "\n" + model.name + " " + model.path;
  return text;
}

/// All recipes, in groups of the same models. @throws InputError for all that is wrong
std::vector<std::vector<PlannedPoint>> read_recipes(const recipe::Sweep& sweep,
                                                    const std::vector<std::string>& overrides) {
  std::vector<std::vector<PlannedPoint>> groups;
  std::map<std::string, std::size_t> known;
  std::string problems;
  std::size_t found = 0;
  for (std::size_t i = 0; i < sweep.points.size() && found < kMostProblems; ++i) {
    PlannedPoint point;
    point.at = i;
    try {
      point.recipe = recipe::recipe_of(sweep, sweep.points[i], overrides);
    } catch (const InputError& error) {
      problems += (problems.empty() ? "" : "\n") + std::string(error.what());
      ++found;
      continue;
    }
    const auto [group, is_new] = known.try_emplace(models_of(point.recipe), groups.size());
    if (is_new) groups.emplace_back();
    groups[group->second].push_back(std::move(point));
  }
  if (!problems.empty()) throw InputError(problems);
  return groups;
}

/// Weights and the like are a point's own, though the models are the same.
void take_entries(const recipe::Recipe& recipe, Inputs& inputs) {
  for (Expert& expert : inputs.experts) {
    const auto found = std::ranges::find_if(recipe.models, [&](const recipe::ModelEntry& model) {
      return model.name == expert.entry.name && model.path == expert.entry.path;
    });
    if (found != recipe.models.end())
      expert.entry = *found;
    else if (recipe.base_as_model)
      expert.entry = *recipe.base_as_model;
  }
}

}  // namespace

std::vector<SweepGroup> plan_points(const recipe::Sweep& sweep,
                                    const std::vector<std::string>& overrides,
                                    comm::Communicator& processes) {
  std::vector<SweepGroup> groups;
  for (std::vector<PlannedPoint>& points : read_recipes(sweep, overrides)) {
    SweepGroup group;
    group.inputs = open_inputs(points.front().recipe, processes);
    const Identity identity = identity_of(points.front().recipe, group.inputs);
    group.identity = identity.inputs;
    group.arithmetic = identity.arithmetic;
    group.points = std::move(points);
    for (PlannedPoint& point : group.points) {
      point.method = methods::make(point.recipe.merge_method);
      take_entries(point.recipe, group.inputs);
      point.plan = make_plan(point.recipe, group.inputs, processes.size());
      point.id =
          digest_of(point.plan, *point.method, group.inputs, group.identity).substr(0, kIdDigits);
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace koine::pipeline
