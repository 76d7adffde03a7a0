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

}  // namespace koine::lowrank
