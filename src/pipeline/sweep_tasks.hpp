#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/sweep_evaluation.hpp"
#include "pipeline/sweep_group.hpp"

namespace koine::pipeline {

/// What decides which evaluations there are. Root only.
struct TaskContext {
  const recipe::Sweep& sweep;  ///< with `evaluate`
  const std::vector<SweepGroup>& groups;
  const SweepFolder& folder;
  const std::vector<std::int64_t>& numbers;  ///< of the points, in the order of the file
  bool only_failed = false;
};

/// The base or an expert, which points are compared with.
struct Baseline {
  std::string kind;  ///< "base", "expert"
  std::string name;
  std::string key;  ///< of SweepFolder::result
};

/// None where the sweep wants none.
[[nodiscard]] std::vector<Baseline> baselines_of(const TaskContext& context);

/// Evaluations that are missing, baselines first, each distinct result once; with only_failed those
/// that failed, alone.
[[nodiscard]] std::vector<EvaluationTask> tasks_of(const TaskContext& context);

}  // namespace koine::pipeline
