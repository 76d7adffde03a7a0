#pragma once

#include <cstdint>

#include "lowrank/gram.hpp"

/// G of integers. Every row of A is scaled to a length of 45000 and rounded to 16 bits, Q; sums of
/// Q Q^T are exact in 32. With A = A' + E, A' what Q stands for, K = A' A'^T is a G that costs half
/// to two thirds of one in float32, and |E|_F, some ten-thousandths of |A|_F, is measured.
namespace koine::lowrank {

/// workspace.coarse.gram <- K, each entry rounded once to float32, with `lost`, `error` and
/// `squared`. The same bits on every CPU. Cost: short^2 * long operations on pairs of 16-bit
/// integers; workspace.packed takes short * long integers, in the place of tau's panels; single,
/// stripes and indices are used too.
/// @pre fits_rounding: what rounding adds to longer rows would take sums out of 32 bits; and
/// squares_fit_float32 (gram32.hpp)
void rounded_gram(const ShortSideFirst& side, Workspace& workspace);

[[nodiscard]] bool fits_rounding(const ShortSideFirst& side) noexcept;

/// image <- K block, multiplied and summed in float32. block, image: [short, width] column-major,
/// float64. Cost: 2 short^2 width flops.  @pre rounded_gram
void rounded_times_block(std::int64_t short_side, std::int64_t width, const double* block,
                         double* image, Workspace& workspace);

/// An upper bound of |error|_2 of rounded_times_block of a vector of length 1.
[[nodiscard]] double rounded_times_error(std::int64_t short_side,
                                         const Workspace& workspace) noexcept;

/// An upper bound of |P K P|_F, P = I - U U^T, U the first `count` rows of workspace.vectors:
/// |K - sum theta u u^T|_F, theta in workspace.values, subtracted in float32. Cost: short^2 count
/// flops.
[[nodiscard]] double rounded_norm_without(std::int64_t short_side, std::int64_t count,
                                          Workspace& workspace);

/// K's entry.  @pre rounded_gram
[[nodiscard]] float rounded_entry(std::int64_t short_side, std::int64_t row, std::int64_t column,
                                  const Workspace& workspace);

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
