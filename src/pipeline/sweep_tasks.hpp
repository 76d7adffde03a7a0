#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/sweep_evaluation.hpp"
#include "pipeline/sweep_group.hpp"
#include "pipeline/sweep_run.hpp"

namespace koine::pipeline {

/// What decides which evaluations there are. Root only.
struct TaskContext {
  const recipe::Evaluation& evaluation;
  const std::vector<SweepGroup>& groups;
  const SweepFolder& folder;
  const std::vector<std::int64_t>& numbers;  ///< of the points, in the order of the file
  bool only_failed = false;
  const SweepRound& round;
};

/// The base or an expert of any point, which points are compared with.
struct Baseline {
  std::string kind;  ///< "base", "expert"
  std::string name;
  std::string path;
  std::string key;  ///< of SweepFolder::result
};

/// Where a round keeps what it knows of an id.
[[nodiscard]] std::string result_key(const SweepRound& round, const std::string& id);

/// None where the sweep wants none, and in rounds that are apart.
[[nodiscard]] std::vector<Baseline> baselines_of(const TaskContext& context);

/// Evaluations that are missing, baselines first, each distinct result once; with only_failed those
/// that failed, alone.
[[nodiscard]] std::vector<EvaluationTask> tasks_of(const TaskContext& context);

}  // namespace koine::pipeline
