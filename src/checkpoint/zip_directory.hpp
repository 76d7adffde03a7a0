#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.hpp"

namespace koine::checkpoint {

/// One stored (uncompressed) entry: its bytes are [offset, offset + size) of the file.
struct ZipEntry {
  std::string name;
  std::int64_t offset = 0;
  std::int64_t size = 0;
  std::uint32_t crc = 0;  ///< as the directory says; torch can be told to leave it wrong
};

struct ZipDirectory {
  std::vector<ZipEntry> entries;  ///< sorted by name, which is unique
  [[nodiscard]] const ZipEntry* find(std::string_view name) const noexcept;
};

/// Reads what a zip holds, and refuses any file that two zip readers could understand differently:
/// one end record, in the last bytes, no comments; entries stored, not encrypted, one after another
/// from byte 0 up to the central directory without gap or overlap; local headers and data
/// descriptors that agree with the directory; plain relative names, each once. zip64 is understood.
/// Cost: the directory and two or three small reads for each entry; payloads are not read.
/// @throws InputError with the file, the entry and what was expected
[[nodiscard]] ZipDirectory read_zip_directory(const File& file);

}  // namespace koine::checkpoint
