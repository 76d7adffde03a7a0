#pragma once

#include <cstdint>
#include <limits>

#include "lowrank/eigen.hpp"
#include "lowrank/gram.hpp"
#include "lowrank/truncated_svd.hpp"

namespace koine::lowrank {

/// What workspace.gram holds.
enum class Gram : std::uint8_t { none, float32, float64 };

/// What is asked of one matrix.
struct Problem {
  const ShortSideFirst& side;
  const RankTarget& target;
  const SvdOptions& options;
  double tau_squared = 0;
  std::int64_t rung = 0;  ///< set by leading_pairs
  Gram gram = Gram::none;
};

/// The leading pairs in workspace.values and .vectors, and what is known of them.
struct Solution {
  Solver solver = Solver::dsyevr;
  bool has_converged = false;
  std::int64_t asked = 0;  ///< pairs that the target asks for; rung + 1: more than this rung has
  std::int64_t kept = 0;
  std::int64_t count = 0;  ///< pairs that were asked of the solver: rung + 1 where they exist
  double residual = std::numeric_limits<double>::infinity();
  bool is_accurate = false;
  const char* certificate = "";  ///< which proof holds; empty: none
  std::int64_t blocks = 0;       ///< of a Krylov basis
  std::int64_t fallbacks = 0;    ///< solvers whose answers did not pass
};

/// The pairs of the lowest rung that has what the target asks for, by the first solver whose
/// answer passes; the last one's answer as it is where none does.
/// @pre problem.tau_squared > 0
[[nodiscard]] Solution leading_pairs(Problem& problem, Workspace& workspace);

}  // namespace koine::lowrank
