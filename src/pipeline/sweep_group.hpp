#pragma once

#include <memory>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "methods/method.hpp"
#include "pipeline/inputs.hpp"
#include "pipeline/plan.hpp"
#include "pipeline/run_folder.hpp"
#include "recipe/sweep.hpp"

namespace koine::pipeline {

/// A point of a sweep, made concrete.
struct PlannedPoint {
  std::size_t at = 0;  ///< in Sweep::points
  recipe::Recipe recipe;
  std::unique_ptr<methods::Method> method;
  Plan plan;
  std::string id;  ///< name_points: 12 hexadecimal digits; points of one id have one result
};

/// The points that merge the same models.
struct SweepGroup {
  Inputs inputs;
  std::string identity;               ///< Identity::inputs
  std::vector<std::string> contents;  ///< contents_of(inputs); set by name_points
  std::string arithmetic;             ///< Identity::arithmetic
  std::vector<PlannedPoint> points;
};

struct SweepPlan {
  std::vector<SweepGroup> groups;
  std::vector<std::string> warnings;  ///< of recipes, inputs and plans, each once
};

/// Reads every point's recipe and the headers of all models, and plans every point; ids are not
/// known yet. Collective. @throws InputError: what is wrong with points, up to ten lines
[[nodiscard]] SweepPlan plan_points(const recipe::Sweep& sweep,
                                    const std::vector<std::string>& overrides,
                                    comm::Communicator& processes);

/// A recipe's text with absolute paths of the models: wherever it is run from.
[[nodiscard]] std::string anchored_recipe(recipe::Recipe recipe);

/// Every rank that these points ask of some matrix, each once.
[[nodiscard]] std::vector<lowrank::RankTarget> ranks_of(const SweepGroup& group,
                                                        const std::vector<std::size_t>& points);

/// Gives every point its id, from what the models hold. @param contents contents_of(group.inputs)
void name_points(SweepGroup& group, std::vector<std::string> contents);

}  // namespace koine::pipeline
