#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/file.hpp"

namespace koine::checkpoint {

/// A file that is read as a zip: ranges checked against its size, complaints in one form.
class ZipInput {
 public:
  explicit ZipInput(const File& file) : file_(file), size_(file.size()) {}

  [[nodiscard]] std::int64_t size() const noexcept { return size_; }
  /// @throws InputError where the range does not lie in the file; nothing is allocated then
  [[nodiscard]] std::string take(std::int64_t offset, std::int64_t count) const;
  [[noreturn]] void refuse(const std::string& reason) const;
  [[noreturn]] void refuse(std::string_view entry, const std::string& reason) const;

 private:
  const File& file_;
  std::int64_t size_;
};

/// Where the central directory lies: [begin, end), and its records.
struct ZipExtent {
  std::int64_t entries = 0, begin = 0, end = 0;
};

/// From the end record in the last 22 bytes, and the zip64 one in front of it where there is one.
/// @throws InputError where they are missing, contradict each other or leave room between them and
/// the directory
[[nodiscard]] ZipExtent find_zip_directory(const ZipInput& input);

}  // namespace koine::checkpoint
