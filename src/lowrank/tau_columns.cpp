#include "lowrank/tau_columns.hpp"

#include <algorithm>

#include "lowrank/strips.hpp"

namespace koine::lowrank {
namespace {

constexpr std::int64_t kTogether = 256;  // columns: they stay in the second cache

}  // namespace

const float* packed_columns(const ShortSideFirst& side, const Workspace& workspace) {
  return side.is_transposed ? side.tau.data
                            : reinterpret_cast<const float*>(workspace.packed.data());
}

// Sixteen rows of tau at a time, so that whole cache lines are written.
const float* columns_of(const ShortSideFirst& side, Workspace& workspace) {
  if (!side.is_transposed) {
    auto* packed = reinterpret_cast<float*>(
        workspace.packed.reserve(static_cast<std::size_t>(side.tau.size()) * sizeof(float)));
    const std::int64_t m = side.short_side, n = side.long_side;
    for (std::int64_t first = 0; first < n; first += kTogether) {
      const std::int64_t count = std::min(kTogether, n - first);
      for (std::int64_t top = 0; top < m; top += kStripRows)
        turn_rows({side.tau.data + top * n + first, std::min(kStripRows, m - top), count, n},
                  packed + first * m + top, m);
    }
  }
  return packed_columns(side, workspace);
}

}  // namespace koine::lowrank
