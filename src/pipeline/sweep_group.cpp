#include "pipeline/sweep_group.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

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

template <typename T>
void add_new(const T& value, std::vector<T>& all) {
  if (std::ranges::find(all, value) == all.end()) all.push_back(value);
}

void add_new(const std::vector<std::string>& warnings, std::vector<std::string>& all) {
  for (const std::string& warning : warnings) add_new(warning, all);
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

SweepPlan plan_points(const recipe::Sweep& sweep, const std::vector<std::string>& overrides,
                      comm::Communicator& processes) {
  SweepPlan plan;
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
      point.plan =
          make_plan(point.recipe, group.inputs, processes.size(), common_rates(), Sharing::never);
      add_new(point.recipe.warnings, plan.warnings);
      add_new(point.plan.warnings, plan.warnings);
    }
    add_new(group.inputs.notes, plan.warnings);
    plan.groups.push_back(std::move(group));
  }
  return plan;
}

std::string anchored_recipe(recipe::Recipe recipe) {
  const auto anchor = [](recipe::ModelEntry& model) {
    model.written = std::filesystem::absolute(model.path).lexically_normal().string();
  };
  if (recipe.base) anchor(*recipe.base);
  if (recipe.base_as_model) anchor(*recipe.base_as_model);
  for (recipe::ModelEntry& model : recipe.models) anchor(model);
  return recipe::canonical_yaml(recipe);
}

std::vector<lowrank::RankTarget> ranks_of(const SweepGroup& group,
                                          const std::vector<std::size_t>& points) {
  std::vector<lowrank::RankTarget> ranks;
  for (const std::size_t i : points) {
    for (const PlannedTensor& planned : group.points[i].plan.tensors) {
      if (planned.treatment != Treatment::pruned) continue;
      for (std::size_t t = 0; t < planned.parts.size(); ++t)
        add_new(planned.parts[t].prune.rank, ranks);
    }
  }
  return ranks;
}

void name_points(SweepGroup& group, std::vector<std::string> contents) {
  group.contents = std::move(contents);
  const std::string models = fmt::format("{}", fmt::join(group.contents, " "));
  for (PlannedPoint& point : group.points)
    point.id = digest_of(point.plan, *point.method, group.inputs, models).substr(0, kIdDigits);
}

}  // namespace koine::pipeline
