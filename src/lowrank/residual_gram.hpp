#pragma once

#include <cstdint>

#include "lowrank/gram.hpp"

namespace koine::lowrank {

/// An upper bound of |R R^T|_F for R = A - U U^T A, U the first `rung` rows of workspace.vectors:
/// within some thousandths of it, unless |R| is less than 1e-4 |A|. Every row of R is scaled to a
/// length of 45000 and rounded to integers Q; Q Q^T is exact in 32 bits, so a bound needs the
/// rounding of A to Q alone, which is measured. G is not stored. The same bits on every CPU. Cost:
/// short^2 * long operations on pairs of 16-bit integers, half to two thirds of the time of as many
/// in float32; workspace.packed takes short * long of them, in the place of tau's panels; single,
/// stripes and indices are used too.
/// @pre project_and_judge has run for this rung
[[nodiscard]] double residual_gram_norm(const ShortSideFirst& side, std::int64_t rung,
                                        double tau_squared, Workspace& workspace);

}  // namespace koine::lowrank
