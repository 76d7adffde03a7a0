#pragma once

#include <filesystem>

#include "pipeline/sweep.hpp"

/// Searches that choose by the metric. Both are collective, and go on where they were stopped: what
/// is known is not evaluated again.
namespace koine::pipeline {

/// One probe after the other, each decided by those before.
[[nodiscard]] SweepOutcome search_golden(recipe::Sweep sweep, const std::filesystem::path& folder,
                                         const SweepOptions& options, comm::Communicator& processes,
                                         const SweepWatcher& watcher);

/// Successive halving (Jamieson and Talwalkar, 2016): with n points and factor f there are
/// floor(log_f n) + 1 rounds; each evaluates what is left on f times the data of the one before
/// (the last on all of it; the command reads {share}) and leaves the best 1/f, rounded up.
[[nodiscard]] SweepOutcome search_halving(const recipe::Sweep& sweep,
                                          const std::filesystem::path& folder,
                                          const SweepOptions& options,
                                          comm::Communicator& processes,
                                          const SweepWatcher& watcher);

}  // namespace koine::pipeline
