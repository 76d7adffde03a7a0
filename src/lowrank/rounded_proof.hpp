#pragma once

#include <cstdint>

#include "lowrank/truncated_svd.hpp"

/// What K of rounded_gram proves of G.
namespace koine::lowrank {

/// Whether no more than `kept` <= rung eigenvalues of G lie above g, shown by K and its Krylov
/// space: as singular values of A and A' differ by |E|_2 at most (Weyl), those above sqrt(g) are no
/// more than those of A' above sqrt(g) - |E|_F. False says nothing.
/// @pre workspace.coarse is complete for that rung
[[nodiscard]] bool no_more_above(double g, std::int64_t short_side, std::int64_t kept,
                                 std::int64_t rung, Workspace& workspace);

/// The same by a Cholesky factorisation (nothing_missed_above) of all of K, whatever its space
/// leaves outside. workspace.gram <- K. Cost: short^3 / 3 flops in float64.
/// @pre rounded_gram; workspace has `kept` pairs, of G or near them
[[nodiscard]] bool no_more_above_by_cholesky(double g, std::int64_t short_side, std::int64_t kept,
                                             Workspace& workspace);

}  // namespace koine::lowrank
