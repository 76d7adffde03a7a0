#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "store/manifest.hpp"
#include "store/shard_writer.hpp"

namespace koine::test {

/// The bytes that tensor `index` of a small run holds: a fixed pattern; 0 and 1 for bool.
std::vector<std::byte> pattern(const store::ShardTensor& tensor, std::size_t index);

/// One tensor of every dtype, a scalar, an empty one and one above a page: every case of the
/// layout.
std::vector<store::ShardTensor> every_kind();

/// Writes and publishes a shard of those tensors with pattern() in them.
store::ShardSeal write_shard(const std::filesystem::path& path,
                             const std::vector<store::ShardTensor>& tensors);

/// A complete run folder: two shards (every_kind; one more), model.h5, report.json,
/// files/config.json, SHA256SUMS and manifest.json, and beside them what may differ: run.log,
/// timing.json, .koine/lock.
store::Manifest write_small_run(const std::filesystem::path& run);

/// The whole file, and back.
std::string bytes_of(const std::filesystem::path& path);
void put_bytes(const std::filesystem::path& path, const std::string& bytes);

}  // namespace koine::test
