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
  std::string id;  ///< 12 hexadecimal digits; points of one id have one result
};

/// The points that merge the same models.
struct SweepGroup {
  Inputs inputs;
  std::string identity;    ///< Identity::inputs
  std::string arithmetic;  ///< Identity::arithmetic
  std::vector<PlannedPoint> points;
};

/// Reads every point's recipe and the headers of all models, and plans every point. Collective.
/// @throws InputError: what is wrong with points, up to ten lines
[[nodiscard]] std::vector<SweepGroup> plan_points(const recipe::Sweep& sweep,
                                                  const std::vector<std::string>& overrides,
                                                  comm::Communicator& processes);

}  // namespace koine::pipeline
