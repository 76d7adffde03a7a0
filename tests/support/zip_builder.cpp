#include "support/zip_builder.hpp"

#include <zlib.h>

namespace koine::test {
namespace {

class Bytes {
 public:
  Bytes& u16(std::uint64_t n) { return number(n, 2); }
  Bytes& u32(std::uint64_t n) { return number(n, 4); }
  Bytes& raw(const std::string& text) {
    text_ += text;
    return *this;
  }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  Bytes& number(std::uint64_t n, unsigned size) {
    for (unsigned i = 0; i < size; ++i) text_ += static_cast<char>((n >> (8 * i)) & 0xFFU);
    return *this;
  }
  std::string text_;
};

std::string local_record(const ZipPart& part) {
  const std::string name = part.local_name.value_or(part.name);
  const bool is_late = (part.flags & 8U) != 0;
  const std::uint64_t size =
      part.local_size.value_or(is_late ? 0U : static_cast<std::uint32_t>(part.data.size()));
  Bytes bytes;
  bytes.raw("PK\x03\x04").u16(20).u16(part.flags).u16(part.method).u32(0);
  bytes.u32(is_late ? 0 : crc_of(part.data)).u32(size).u32(size);
  bytes.u16(name.size()).u16(part.local_extra.size()).raw(name).raw(part.local_extra);
  return bytes.raw(part.data).raw(part.descriptor).text();
}

std::string central_record(const ZipPart& part, std::size_t header) {
  const std::uint64_t size =
      part.central_size.value_or(static_cast<std::uint32_t>(part.data.size()));
  Bytes bytes;
  bytes.raw("PK\x01\x02").u16(20).u16(20).u16(part.flags).u16(part.method).u32(0);
  bytes.u32(crc_of(part.data)).u32(part.packed_size.value_or(size)).u32(size);
  bytes.u16(part.name.size()).u16(part.central_extra.size()).u16(0).u16(0).u16(0).u32(0);
  return bytes.u32(part.header_offset.value_or(header))
      .raw(part.name)
      .raw(part.central_extra)
      .text();
}

}  // namespace

std::uint32_t crc_of(const std::string& data) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()));
}

std::string zip_bytes(const std::vector<ZipPart>& parts, const ZipLies& lies) {
  std::string bytes = lies.front, directory;
  for (const ZipPart& part : parts) {
    directory += central_record(part, bytes.size());
    bytes += local_record(part);
  }
  bytes += lies.before_directory;
  const std::size_t begin = bytes.size(),
                    count = parts.size() + static_cast<unsigned>(lies.extra_entries);
  Bytes end;
  for (int i = 0; i < lies.end_records; ++i) {
    end.raw("PK\x05\x06").u16(lies.disk).u16(lies.disk).u16(count).u16(count);
    end.u32(directory.size()).u32(begin).u16(lies.comment.size()).raw(lies.comment);
  }
  return bytes + directory + lies.after_directory + end.text() + lies.back;
}

std::vector<ZipPart> torch_parts(const std::string& pickle,
                                 const std::vector<std::string>& storages,
                                 const std::string& byteorder) {
  std::vector<ZipPart> parts(2);
  parts[0].name = "a/data.pkl";
  parts[0].data = pickle;
  parts[1].name = "a/byteorder";
  parts[1].data = byteorder;
  for (std::size_t i = 0; i < storages.size(); ++i) {
    ZipPart& part = parts.emplace_back();
    part.name = "a/data/" + std::to_string(i);
    part.data = storages[i];
  }
  return parts;
}

}  // namespace koine::test
