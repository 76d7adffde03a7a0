#pragma once

#include <span>

#include "methods/method.hpp"

/// The two halves that lors, svp and mp are made of.
namespace koine::methods {

/// Factors of tau as the parameters ask for them, on the CPU, with what a store has.
[[nodiscard]] lowrank::Factors factorise(MatrixView tau, const PruneParameters& parameters,
                                         lowrank::Workspace& workspace,
                                         const lowrank::RungStore* store = nullptr);

/// L, the best approximation of tau at the asked rank; fills the row's low-rank figures, |L|^2 of a
/// product apart. rank 0: L = 0; rank >= min(rows, cols): L = tau exactly. Neither needs an SVD.
[[nodiscard]] LowPart low_rank_part(MatrixView tau, const PruneParameters& parameters,
                                    lowrank::Workspace& workspace, stats::ExpertRow& row);

/// low <- the method's L of a matrix; returns the whole row.
stats::ExpertRow store_low_part(const Method& method, MatrixView tau,
                                const PruneParameters& parameters, std::span<float> low,
                                lowrank::Workspace& workspace);

/// The row's figures of factors, |L|^2 apart.
void note_factors(const lowrank::Factors& factors, stats::ExpertRow& row);

/// Which entries of tau take the place of L's (sparse::take_kept): parameters.threshold; without
/// one, the k = int(numel * density) largest of |tau - L|, ties by lowest index. Fills the row's
/// kept and threshold, and ties where a threshold was given.
[[nodiscard]] sparse::Threshold find_largest(LowPart& low, const PruneParameters& parameters,
                                             stats::ExpertRow& row);

}  // namespace koine::methods
