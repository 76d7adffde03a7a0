#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stats/rows.hpp"
#include "store/shard_writer.hpp"

namespace koine::store {

/// What the journal keeps of one tensor of a finished shard.
struct TensorRecord {
  TensorSeal seal;
  std::vector<std::string> inputs;  ///< fingerprints: the base's, then each expert's
  stats::TensorRow row;
};

/// A finished shard. The journal is one small file per shard under .koine/journal, so that
/// processes need not agree.
struct ShardRecord {
  std::string shard;  ///< "encoder.003"
  std::string file;   ///< "shards/encoder.003.h5"
  std::string sha256;
  std::int64_t size = 0;
  std::string arithmetic;             ///< JSON: where and by what the shard was computed
  std::vector<TensorRecord> tensors;  ///< in the order of the shard
  /// (expert, tensor) where an expert's integers differ from the base's, which are kept.
  std::vector<std::pair<std::string, std::string>> other_integers;
};

/// Atomic; carries a checksum of itself. @throws StorageError
void write_record(const std::filesystem::path& run, const ShardRecord& record);

/// Nothing where there is no record, or it is damaged (the shard is then merged again).
[[nodiscard]] std::optional<ShardRecord> read_record(const std::filesystem::path& run,
                                                     const std::string& shard);

}  // namespace koine::store
