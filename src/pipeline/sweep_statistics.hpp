#pragma once

#include <span>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "pipeline/kept_factors.hpp"
#include "pipeline/progress.hpp"
#include "pipeline/sweep_group.hpp"
#include "stats/rows.hpp"

namespace koine::pipeline {

/// What is known of a merge without its checkpoint: of the result alone, so that points with one
/// result have one. Tensors at lambda 0 keep nothing.
struct PointStatistics {
  double kept_share = 0;      ///< entries of task vectors that are kept, of all
  double energy_kept = 0;     ///< sum_t |M_t|^2 / sum_t |tau_t|^2
  double drift = 0;           ///< |lambda D| / |W_0|
  double sign_conflicts = 0;  ///< of the entries that two experts or more change: not all one way
  std::int64_t overflows = 0;
};

struct StatisticsOptions {
  int threads = 1;
  std::int64_t memory = 0;  ///< bytes per process; 0: no limit
};

/// Of the points at these positions of the group, in that order: the figures of lone merges, with
/// one reading of the inputs for all. Each process goes over the tensors of its shards; the same
/// for any number of processes and threads. Collective.
/// @throws InputError for a value that is not finite, or a memory limit that is too small
[[nodiscard]] std::vector<PointStatistics> sweep_statistics(
    const SweepGroup& group, std::span<const std::size_t> points, const StatisticsOptions& options,
    const KeptFactors& factors, Progress& progress, comm::Communicator& processes);

}  // namespace koine::pipeline
