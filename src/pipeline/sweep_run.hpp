#pragma once

#include <filesystem>

#include "pipeline/sweep.hpp"

namespace koine::pipeline {

/// The points that sweep.points lists, whatever its search says. Collective.
/// @param is_last whether checkpoints are to be kept now (`keep`)
[[nodiscard]] SweepOutcome run_points(const recipe::Sweep& sweep,
                                      const std::filesystem::path& folder,
                                      const SweepOptions& options, bool is_last,
                                      comm::Communicator& processes, const SweepWatcher& watcher);

}  // namespace koine::pipeline
