#pragma once

#include <cstdint>

#include "lowrank/gram.hpp"

/// Judging pairs by tau itself, where G was not summed in float64.
namespace koine::lowrank {

/// |tau|_F^2, summed in float64.
[[nodiscard]] double norm_squared(MatrixView tau) noexcept;

/// The first `rung` rows u of workspace.vectors: workspace.values <- |A^T u|^2 and workspace.images
/// <- A A^T u, in float64. Cost: 4 short long rung flops, one panel of A at a time.
void rayleigh_through_tau(const ShortSideFirst& side, std::int64_t rung, Workspace& workspace);

/// As largest_residual, after rayleigh_through_tau.
[[nodiscard]] double residual_through_tau(std::int64_t short_side, std::int64_t kept,
                                          Workspace& workspace);

}  // namespace koine::lowrank
