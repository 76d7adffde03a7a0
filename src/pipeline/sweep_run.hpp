#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pipeline/sweep.hpp"

namespace koine::pipeline {

/// One pass over the points of a sweep.
struct SweepRound {
  bool is_last = true;  ///< what is found stands, and checkpoints are kept; else it is apart
  std::string name{};   ///< of a round that is apart; empty: its results stand all the same
  double share = 1;     ///< of its data, by which the command is to judge: {share}
  std::vector<std::size_t> points{};  ///< positions that are evaluated; empty: all
};

/// The points that sweep.points lists, whatever its search says. Collective.
[[nodiscard]] SweepOutcome run_points(const recipe::Sweep& sweep,
                                      const std::filesystem::path& folder,
                                      const SweepOptions& options, const SweepRound& round,
                                      comm::Communicator& processes, const SweepWatcher& watcher);

}  // namespace koine::pipeline
