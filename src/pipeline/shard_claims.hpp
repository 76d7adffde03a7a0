#pragma once

#include <filesystem>
#include <string>

namespace koine::pipeline {

/// Which process of a run merges which shard: the one that creates `.koine/claims/<shard>` first,
/// when it begins it. So that a process which has merged its own takes what the others have not
/// begun, however slow they are; no process has to answer another. A shard's bytes do not depend on
/// who merges it.
class ShardClaims {
 public:
  /// Without claims: every process may begin what it is given.
  ShardClaims() = default;
  explicit ShardClaims(const std::filesystem::path& run);

  /// Forgets all claims. Root only, before any process takes a shard and when the run is complete.
  static void forget(const std::filesystem::path& run) noexcept;

  /// Whether the shard is this process' own from now on; true for one process, once. Thread-safe.
  /// @throws InputError, StorageError where no claim can be made
  [[nodiscard]] bool take(const std::string& shard) const;

 private:
  std::filesystem::path folder_;  ///< empty: there are no claims
};

}  // namespace koine::pipeline
