#pragma once

#include <cstdint>
#include <span>

#include "lowrank/gram.hpp"

/// What tau itself says of the first rows of workspace.vectors, in float64. Each needs `rung` rows
/// of it, whatever is kept of them, so that bits do not depend on what is kept.
namespace koine::lowrank {

/// workspace.right <- A^T u for every u. Cost: 2 short long rung flops, one reading of tau, which
/// is turned first where it is wide (tau_columns.hpp).
void project(const ShortSideFirst& side, std::int64_t rung, Workspace& workspace);

/// As project; also workspace.images <- A A^T u and workspace.values <- |A^T u|^2, for where G was
/// never formed. Cost: 4 short long rung flops, one reading of the columns.
/// @pre workspace.packed is as columns_of left it
void project_and_judge(const ShortSideFirst& side, std::int64_t rung, Workspace& workspace);

/// b <- the first rows of workspace.right, each of `long`, rounded once to float32.
/// @pre project or project_and_judge has run; b holds whole rows of `long`
void round_projection(std::int64_t long_side, std::span<float> b, const Workspace& workspace);

/// As largest_residual, after project_and_judge.
[[nodiscard]] double residual_through_tau(std::int64_t short_side, std::int64_t kept,
                                          Workspace& workspace);

}  // namespace koine::lowrank
