#pragma once

/// No standard header with inline functions may be included here: files built with wider
/// instructions include it.

#include <cstdint>

namespace koine::lowrank {

constexpr std::int64_t kStripRows = 16;  // of A, packed side by side: 64 bytes a term
constexpr std::int64_t kTileStrips = 3;  // at most, that meet another one in a kernel
constexpr std::int64_t kGramColumns = kTileStrips * kStripRows;

}  // namespace koine::lowrank
