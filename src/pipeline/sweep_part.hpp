#pragma once

#include <cstddef>
#include <vector>

#include "pipeline/sweep.hpp"
#include "pipeline/sweep_group.hpp"

namespace koine::pipeline {

/// Positions in Sweep::points of the points that a part is to make: the distinct ones are dealt out
/// in the order of the file. The same on every process. @pre name_points of every group
[[nodiscard]] std::vector<std::size_t> points_of_part(const std::vector<SweepGroup>& groups,
                                                      const SweepPart& part);

}  // namespace koine::pipeline
