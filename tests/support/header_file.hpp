#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace koine::test {

inline void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// A safetensors file of any header: length prefix (the header's own, or `announced`), header,
/// data.
inline std::string safetensors_bytes(const std::string& header, const std::string& data,
                                     std::int64_t announced = -1) {
  const auto length = static_cast<std::uint64_t>(
      announced >= 0 ? announced : static_cast<std::int64_t>(header.size()));
  std::string bytes(8, '\0');
  for (unsigned i = 0; i < 8; ++i) bytes[i] = static_cast<char>((length >> (8 * i)) & 0xFFU);
  return bytes + header + data;
}

}  // namespace koine::test
