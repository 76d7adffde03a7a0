#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "store/factor_file.hpp"

/// A folder of factors for all merges that name it: koine-cache.json marks it, and every rung lies
/// in ab/cdef….factors, named by the SHA-256 of its key. Any number of threads and processes
/// may use it at once.
namespace koine::store {

class FactorCache {
 public:
  /// Makes the folder where it is not there. @throws InputError where it holds something else
  /// than a cache; StorageError
  explicit FactorCache(std::filesystem::path folder);

  /// What is kept under `key`; it counts as used now.
  [[nodiscard]] std::optional<lowrank::Rung> find(const std::string& key) const;
  /// @throws StorageError
  void keep(const std::string& key, const lowrank::Rung& rung) const;

  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }

 private:
  std::filesystem::path folder_;
};

/// Whether the folder bears a cache's mark.
[[nodiscard]] bool is_cache(const std::filesystem::path& folder);

struct CacheUse {
  std::int64_t entries = 0, bytes = 0;
  std::int64_t limit = 0;               ///< bytes that the cache is to keep within; 0: none
  std::int64_t oldest = 0, newest = 0;  ///< last use, seconds since 1970
};

/// @throws InputError where the folder is no cache
[[nodiscard]] CacheUse use_of_cache(const std::filesystem::path& folder);

/// Removes the entries that were not used for longest until at most `bytes` are left, and what
/// writers that died an hour ago or more left behind. Returns what was removed.
/// @throws InputError where the folder is no cache; StorageError
CacheUse prune_cache(const std::filesystem::path& folder, std::int64_t bytes);

/// Bytes that every merge that uses the cache prunes it to; 0: no limit.
/// @throws InputError where the folder is no cache; StorageError
void limit_cache(const std::filesystem::path& folder, std::int64_t bytes);

}  // namespace koine::store
