#pragma once

#include <vector>

#include "pipeline/plan.hpp"

namespace koine::pipeline {

/// With more processes than shards, owners alone would leave many idle. Fills plan.shared where the
/// plan's processes are done sooner if all of them find factors, each of its own (matrix, expert),
/// before the owners merge: then each matrix and expert is read twice. By plan.nominal alone, so
/// that every process decides the same.
/// @pre make_shards, assign_owners
void share_factors_if_sooner(Plan& plan, const Inputs& inputs);

/// Those of the plan's tasks that lie in the given shards (by index), their owners chosen anew:
/// contiguous runs of about the same work.
[[nodiscard]] std::vector<FactorTask> tasks_in(const Plan& plan, const std::vector<bool>& shards);

}  // namespace koine::pipeline
