#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "lowrank/truncated_svd.hpp"

/// One matrix' factors in a file: a line "koine-factors-1", a line of JSON (the key, the shape and
/// every figure of lowrank::Factors), u and b as little-endian float32, and 32 hexadecimal digits,
/// the XXH3-128 of all before them. What is read back has the bits that were written.
namespace koine::store {

/// `key` says what the factors were made from and by; it is one line.
/// Temporary name and rename, but no fsync: a file that a power cut spoilt is made again.
/// @throws StorageError
void write_factors(const std::filesystem::path& path, const std::string& key,
                   const lowrank::Factors& factors);

/// Nothing where the file is not there, is damaged, or was made from or by something else.
[[nodiscard]] std::optional<lowrank::Factors> read_factors(const std::filesystem::path& path,
                                                           const std::string& key);

}  // namespace koine::store
