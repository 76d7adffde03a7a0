#pragma once

#include <cstdint>
#include <span>

#include "lowrank/gram.hpp"
#include "lowrank/rung.hpp"

namespace koine::lowrank {

/// What workspace.gram holds.
enum class Gram : std::uint8_t { none, float32, float64 };

/// What is asked of one matrix; one for all of its rungs.
struct Problem {
  const ShortSideFirst& side;
  const SvdOptions& options;
  double tau_squared = 0;
  Gram gram = Gram::none;
};

/// Which triplets of an answer are rounded to factors.
enum class Width : std::uint8_t {
  needed,  ///< those that the targets ask for
  whole    ///< all of the rung, for targets to come
};

/// The answers of the solvers, from the cheapest for this shape, rung and mode to the one that
/// never fails, until one passes for every target; with a verdict on every target that is still
/// open. Targets that need a higher rung are left out.
/// @pre problem.tau_squared > 0
[[nodiscard]] Rung solve_rung(Problem& problem, std::int64_t rung,
                              std::span<const RankTarget> targets, Width width,
                              Workspace& workspace);

}  // namespace koine::lowrank
