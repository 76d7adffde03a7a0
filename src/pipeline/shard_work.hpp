#pragma once

#include <filesystem>
#include <optional>
#include <span>

#include "pipeline/merge_tensor.hpp"
#include "store/journal.hpp"

namespace koine::pipeline {

/// A finished shard that may be used again: its record, if the file on disk still has the record's
/// hash and, unless the inputs are trusted, the inputs still have the record's fingerprints.
/// Nothing where it must be merged (again).
/// @throws InputError naming the model and tensor if an input has changed since
[[nodiscard]] std::optional<store::ShardRecord> reuse_shard(const PlannedShard& shard,
                                                            const Plan& plan,
                                                            const MergeContext& context,
                                                            const std::filesystem::path& run,
                                                            const struct ShardOptions& options);

struct ShardOptions {
  std::span<Scratch> scratch;  ///< one per thread
  bool trusts_inputs = false;
  std::string arithmetic;  ///< JSON, kept in the record
  [[nodiscard]] int threads() const noexcept { return static_cast<int>(scratch.size()); }
};

/// Merges a shard's tensors on all threads, publishes the file and journals it.
[[nodiscard]] store::ShardRecord merge_shard(const PlannedShard& shard, const Plan& plan,
                                             const MergeContext& context,
                                             const std::filesystem::path& run,
                                             const ShardOptions& options);

}  // namespace koine::pipeline
