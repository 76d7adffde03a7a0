#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "lowrank/rung.hpp"

/// One rung of one matrix in a file: a line "koine-factors-2", a line of JSON (the key, the shape,
/// and of every answer all but its matrices), u and b of the answers as little-endian float32, and
/// 32 hexadecimal digits, the XXH3-128 of all before them. What is read back has the bits that were
/// written.
namespace koine::store {

/// `key` says what the rung was made from and by; it is one line.
/// As core's replace_file: a file that a power cut spoilt is made again. @throws StorageError
void write_factors(const std::filesystem::path& path, const std::string& key,
                   const lowrank::Rung& rung);

/// Nothing where the file is not there, is damaged, or was made from or by something else.
[[nodiscard]] std::optional<lowrank::Rung> read_factors(const std::filesystem::path& path,
                                                        const std::string& key);

}  // namespace koine::store
