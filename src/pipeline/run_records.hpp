#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "pipeline/plan.hpp"
#include "store/journal.hpp"

namespace koine::pipeline {

/// The journal of a finished run, read shard by shard: one record is in memory at a time.
class RunRecords {
 public:
  RunRecords(const std::filesystem::path& run, const Plan& plan);  ///< keeps references

  /// The record of a shard of the plan; valid until the next call.
  /// @throws StorageError where it cannot be read
  [[nodiscard]] const store::ShardRecord& shard(std::size_t index);

  /// The record of a tensor of the plan; valid until the next call. Cheap where tensors come in
  /// canonical order: layers then lie together. @throws StorageError
  [[nodiscard]] const store::TensorRecord& tensor(std::size_t index);

  /// Which shard of the plan holds a tensor of the plan.
  [[nodiscard]] std::size_t shard_of(std::size_t tensor) const { return places_.at(tensor).shard; }

 private:
  struct Place {
    std::size_t shard = 0, at = 0;
  };
  const std::filesystem::path& run_;
  const Plan& plan_;
  std::vector<Place> places_;  ///< by tensor of the plan
  std::size_t held_;           ///< the shard whose record is here; none: the number of shards
  store::ShardRecord record_;
};

}  // namespace koine::pipeline
