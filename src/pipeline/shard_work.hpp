#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipeline/merge_tensor.hpp"
#include "store/journal.hpp"
#include "store/shard_writer.hpp"

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

/// Positions in the shard of tensors that are merged at once: one each on the CPU, matrices of
/// one shape on the GPU, some batches of task vectors. Costliest tensor first, so that threads end
/// together.
[[nodiscard]] std::vector<std::vector<std::size_t>> groups_of(const PlannedShard& shard,
                                                              const Plan& plan,
                                                              const MergeContext& context);

/// A shard between its first tensor and its place in the run folder. Destroyed before publish(), it
/// leaves nothing.
class ShardWork {
 public:
  /// Removes a file that is there: it is not trusted any more, and a full disk must not hold it
  /// twice. Keeps references. @throws StorageError (a full disk is found here)
  ShardWork(const PlannedShard& shard, const Plan& plan, const MergeContext& context,
            const std::filesystem::path& run, const std::string& arithmetic);

  /// Merges the tensors of a group into the file. Thread-safe for different groups, each once.
  /// @throws as merge_tensors, StorageError
  void merge(const std::vector<std::size_t>& group, Scratch& scratch);

  /// Makes the file durable, hashing on `threads` threads, and journals it.
  /// @pre every tensor was merged  @throws StorageError
  [[nodiscard]] store::ShardRecord publish(int threads);

 private:
  const PlannedShard& shard_;
  const Plan& plan_;
  const MergeContext& context_;
  std::filesystem::path run_;
  store::ShardRecord record_;
  std::vector<std::vector<std::string>> other_integers_;
  std::unique_ptr<store::ShardWriter> writer_;
};

}  // namespace koine::pipeline
