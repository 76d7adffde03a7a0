#pragma once

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/sweep.hpp"

namespace koine::pipeline {

/// One pass over the points of a sweep.
struct SweepRound {
  bool is_last = true;  ///< what is found stands, and checkpoints are kept; else it is apart
  std::string name{};   ///< of a round that is apart; empty: its results stand all the same
  double share = 1;     ///< of its data, by which the command is to judge: {share}
  std::optional<std::vector<std::size_t>> points{};  ///< positions that are evaluated; else all
  bool has_baselines = true;                         ///< where the sweep wants any

  /// Whether the point at this position is evaluated.
  [[nodiscard]] bool has(std::size_t at) const {
    return !points || std::ranges::find(*points, at) != points->end();
  }
};

/// The points that sweep.points lists, whatever its search says. Collective.
[[nodiscard]] SweepOutcome run_points(const recipe::Sweep& sweep,
                                      const std::filesystem::path& folder,
                                      const SweepOptions& options, const SweepRound& round,
                                      comm::Communicator& processes, const SweepWatcher& watcher);

}  // namespace koine::pipeline
