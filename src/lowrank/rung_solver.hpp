#pragma once

#include <cstdint>
#include <span>

#include "lowrank/engine.hpp"

namespace koine::lowrank {

/// Which triplets of an answer are rounded to factors.
enum class Width : std::uint8_t {
  needed,  ///< those that the targets ask for
  whole    ///< all of the rung, for targets to come
};

/// The answers of the solvers, from the cheapest for this shape, rung and mode to the one that
/// never fails, until one passes for every target; with a verdict on every target that is still
/// open. Targets that need a higher rung are left out.
/// @pre engine.tau_squared() > 0
[[nodiscard]] Rung solve_rung(Engine& engine, std::int64_t rung, const SvdOptions& options,
                              std::span<const RankTarget> targets, Width width);

}  // namespace koine::lowrank
