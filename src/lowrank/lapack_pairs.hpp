#pragma once

#include <cstdint>

#include "lowrank/gram.hpp"
#include "lowrank/truncated_svd.hpp"

/// Eigenpairs by LAPACK. All give theta_i in workspace.values, descending, and u_i in row i of
/// workspace.vectors, of either sign; false where LAPACK did not converge.
namespace koine::lowrank {

/// The `count` largest of workspace.gram, which stays as it is. Cost: 4/3 short^3 + 2 short^2 count
/// flops.
[[nodiscard]] bool pairs_by_dsyevr(std::int64_t short_side, std::int64_t count,
                                   Workspace& workspace);

/// The same by divide and conquer: about 9 short^3 flops.
[[nodiscard]] bool pairs_by_dsyevd(std::int64_t short_side, std::int64_t count,
                                   Workspace& workspace);

/// The squares of tau's singular values and its singular vectors of the short side, without G.
/// Cost: 4 long short^2 + 22 short^3 flops.
[[nodiscard]] bool pairs_by_dgesdd(const ShortSideFirst& side, std::int64_t count,
                                   Workspace& workspace);

/// A copy of workspace.gram (lower triangle, column-major) in workspace.scratch, for routines that
/// overwrite it.
double* copy_of_gram(std::int64_t short_side, Workspace& workspace);

}  // namespace koine::lowrank
