#pragma once

#include <cstdint>
#include <span>

namespace koine::lowrank {

/// Fills `block` with numbers in (-1, 1) that depend on their place and on this engine's version
/// alone: SplitMix64 of a counter. Never on a name, a seed, the rank or what was factorised before,
/// so that factors may be found again by their content.
void fill_start_block(std::span<double> block);

}  // namespace koine::lowrank
