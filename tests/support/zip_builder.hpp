#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace koine::test {

/// One entry of a zip to be built, with every lie that a hostile file could tell.
struct ZipPart {
  std::string name;
  std::string data;
  unsigned method = 0, flags = 0;             ///< in both headers
  std::string descriptor;                     ///< bytes between this entry and the next
  std::optional<std::string> local_name;      ///< differs from `name`
  std::optional<std::uint32_t> local_size;    ///< differs from the data's
  std::optional<std::uint32_t> central_size;  ///< both sizes in the directory
  std::optional<std::uint32_t> packed_size;   ///< the compressed size in the directory
  std::optional<std::uint32_t>
      header_offset;  ///< where the directory says that the local header lies
  std::string local_extra, central_extra;
};

struct ZipLies {
  std::string front, before_directory, after_directory, comment, back;
  int end_records = 1;
  std::uint16_t disk = 0;
  int extra_entries = 0;  ///< more than there are
};

/// The bytes of a zip of stored entries, as honest as its arguments.
[[nodiscard]] std::string zip_bytes(const std::vector<ZipPart>& parts, const ZipLies& lies = {});

/// CRC-32 as zips use it.
[[nodiscard]] std::uint32_t crc_of(const std::string& data);

/// An archive of torch: data.pkl, byteorder, data/0 … with these contents.
[[nodiscard]] std::vector<ZipPart> torch_parts(const std::string& pickle,
                                               const std::vector<std::string>& storages,
                                               const std::string& byteorder = "little");

}  // namespace koine::test
