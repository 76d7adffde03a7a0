#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.hpp"

namespace koine::checkpoint {

struct ZipWriterOptions {
  std::int64_t wide_from = 0xFFFF'FFFF;  ///< sizes and offsets from here on take zip64's fields
  std::int64_t alignment = 64;           ///< of each entry's bytes, by padding in its extra field
};

/// Writes a zip of stored entries one after another; the bytes of an entry arrive in pieces. No
/// time stamps: the same entries give the same file. The checksum is written into the local header
/// when the entry is complete. Local. All functions throw StorageError.
class ZipWriter {
 public:
  /// Keeps a reference: `file` is open for writing, empty, and must live longer. A file that is not
  /// open takes nothing: then sizes are all that comes out.
  explicit ZipWriter(const File& file, ZipWriterOptions options = {});

  /// @pre the previous entry has ended
  void begin(std::string_view name, std::int64_t size);
  void append(std::span<const std::byte> bytes);
  void skip(std::int64_t bytes);  ///< counts them as appended; for a file that is not open
  void end();                     ///< @pre exactly `size` bytes were appended
  void add(std::string_view name, std::string_view content);
  void finish();  ///< the central directory; the file is left open, not synced
  [[nodiscard]] std::int64_t size() const noexcept { return position_; }  ///< bytes so far

 private:
  struct Entry {
    std::string name;
    std::int64_t header = 0, size = 0;
    std::uint32_t crc = 0;
  };
  void put(std::string_view bytes);
  void write(std::span<const std::byte> bytes, std::int64_t offset) const;
  [[nodiscard]] bool is_wide(std::int64_t number) const noexcept {
    return number >= options_.wide_from;
  }
  [[nodiscard]] std::string central_record(const Entry& entry) const;

  const File& file_;
  ZipWriterOptions options_;
  std::vector<Entry> entries_;
  std::int64_t position_ = 0;
  std::int64_t left_ = 0;  ///< bytes that the open entry still waits for
};

}  // namespace koine::checkpoint
