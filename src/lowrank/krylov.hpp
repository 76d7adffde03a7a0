#pragma once

#include <cstdint>
#include <functional>

#include "lowrank/truncated_svd.hpp"

namespace koine::lowrank {

/// Whether block Krylov costs less than LAPACK's subset solver: large matrices, low rungs.
[[nodiscard]] bool prefers_krylov(std::int64_t short_side, std::int64_t rung) noexcept;

/// The most vectors of a basis that finds `count` pairs.
[[nodiscard]] std::int64_t basis_limit(std::int64_t short_side, std::int64_t count) noexcept;

/// image <- G block, both [short, width] column-major.
using ApplyGram = std::function<void(std::int64_t width, const double* block, double* image)>;

/// The `count` largest eigenpairs of the G that `apply` multiplies by, descending, by block Lanczos
/// with full re-orthogonalisation from a start block that is always the same: theta_i in
/// workspace.values, u_i in row i of workspace.vectors. All but the last satisfy |G u - theta u| <=
/// target theta_1, the last one 1e-4: it only shows the gap. workspace.krylov holds the space it
/// was found in. Cost: `apply` and 4 short columns flops per basis vector; 7 to 9 blocks of `count`
/// - 1 vectors on the experts of koine synth. False where basis_limit vectors are not, or will not
/// be, enough.
[[nodiscard]] bool krylov_eigenpairs(std::int64_t short_side, std::int64_t count, double target,
                                     const ApplyGram& apply, Workspace& workspace);

}  // namespace koine::lowrank
