#pragma once

#include <cstdint>

#include "comm/communicator.hpp"
#include "pipeline/run_folder.hpp"
#include "pipeline/shard_work.hpp"
#include "stats/rows.hpp"

namespace koine::pipeline {

/// What this process did of a run's shards.
struct Share {
  stats::Slots slots;                   ///< figures of the shards that were reused or merged here
  std::int64_t reused = 0, merged = 0;  ///< finished and intact; merged now
};

/// Of the plan's shards: uses those of this process again that are finished and intact, and merges
/// the others. Where every process' arithmetic `is_alike`, one that has merged its own goes on with
/// what others have not begun (ShardClaims). Not on GPUs, whose memory is set up for the shards
/// that a process owns. Collective.
/// @throws as reuse_shard and merge_shards
// NOLINTNEXTLINE(readability-function-size): what a merge consists of, each by its own name
[[nodiscard]] Share merge_share(const Plan& plan, const MergeContext& context, const RunFolder& run,
                                const ShardOptions& options, bool is_alike,
                                comm::Communicator& processes);

}  // namespace koine::pipeline
