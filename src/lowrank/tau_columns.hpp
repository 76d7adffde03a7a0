#pragma once

#include <cstdint>

#include "lowrank/gram.hpp"
#include "lowrank/truncated_svd.hpp"

namespace koine::lowrank {

/// A by columns, one after another, [long, short] row-major: tau itself where that is A^T, else a
/// copy in workspace.packed.
/// Cost: a reading and a writing of tau, or nothing. Valid until workspace.packed is used again.
[[nodiscard]] const float* columns_of(const ShortSideFirst& side, Workspace& workspace);

/// What columns_of returned.  @pre workspace.packed was not used since
[[nodiscard]] const float* packed_columns(const ShortSideFirst& side, const Workspace& workspace);

}  // namespace koine::lowrank
