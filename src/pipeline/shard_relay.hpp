#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "pipeline/shard_claims.hpp"
#include "pipeline/shard_work.hpp"

namespace koine::pipeline {

/// Told of every shard once it is in its place and journaled, by its index in the plan. Calls come
/// one at a time, from another thread.
using Published = std::function<void(std::size_t shard, const store::ShardRecord& record)>;

/// Merges those of the given shards of the plan that it can claim, in that order, on all threads;
/// returns how many. Two things overlap: a thread that finds no tensor left in one shard begins the
/// next, and a merged shard is made durable (fsync, hash, rename, journal) by a thread of its own
/// while the next one is merged. At most two shards are unpublished at a time. The bytes do not
/// depend on any of this.
/// @throws what the first failure threw; shards merged before it are published all the same
std::int64_t merge_shards(const std::vector<std::size_t>& shards, const ShardClaims& claims,
                          const Plan& plan, const MergeContext& context,
                          const std::filesystem::path& run, const ShardOptions& options,
                          const Published& published);

}  // namespace koine::pipeline
