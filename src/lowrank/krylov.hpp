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

/// An answer for half a product: whether the pairs suffice is found out before G is applied to the
/// last block.
struct KrylovLook {
  /// inner [width, width] <- block^T G block.
  std::function<void(std::int64_t width, const double* block, double* inner)> within;
  /// Of the pairs in workspace.values and workspace.vectors.
  std::function<bool()> suffices;
};

/// What is looked for.
struct KrylovAim {
  std::int64_t count = 0;  ///< pairs, the largest
  double target = 0;       ///< of |G u - theta u| / theta_1
  /// Null: a start block of count - 1 vectors that is always the same; the last pair only shows the
  /// gap and is right to 1e-4. Else [short, count] column-major, near the pairs; all reach target.
  const double* start = nullptr;
  const KrylovLook* look = nullptr;  ///< null: residuals decide
};

/// The largest eigenpairs of the G that `apply` multiplies by, descending, by block Lanczos with
/// full re-orthogonalisation: theta_i in workspace.values, u_i in row i of workspace.vectors (where
/// aim.start may be, too). `space` holds the space they were found in. Cost: `apply` and 4 short
/// columns flops per basis vector; 7 to 9 blocks on the experts of koine synth, from near pairs
/// 2 or 3. False where basis_limit vectors are not, or will not be, enough.
[[nodiscard]] bool krylov_eigenpairs(std::int64_t short_side, const KrylovAim& aim,
                                     const ApplyGram& apply, KrylovSpace& space,
                                     Workspace& workspace);

}  // namespace koine::lowrank
