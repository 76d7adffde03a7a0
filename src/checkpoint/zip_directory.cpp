#include "checkpoint/zip_directory.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "checkpoint/little_endian.hpp"
#include "checkpoint/utf8.hpp"
#include "checkpoint/zip_input.hpp"
#include "checkpoint/zip_layout.hpp"

namespace koine::checkpoint {
namespace {

using namespace zip;  // NOLINT(google-build-using-namespace): field sizes and signatures

constexpr std::size_t kLongestName = 4096;

/// An entry as the central directory describes it.
struct Central {
  ZipEntry entry;  ///< `offset` is filled from the local header
  std::uint16_t flags = 0;
  std::int64_t header = 0;  ///< where its local header begins
};

/// The 64-bit values that an extra field holds for those 32-bit ones that are saturated.
struct Extra64 {
  std::string_view values;
  std::size_t at = 0;

  [[nodiscard]] std::optional<std::uint64_t> widen(std::uint32_t narrow) {
    if (narrow != kSaturated32) return narrow;
    if (values.size() - at < 8) return std::nullopt;
    at += 8;
    return load_little<std::uint64_t>(values, at - 8);
  }
};

bool is_plain_name(std::string_view name) {
  if (name.size() > kLongestName || !is_clean_utf8(name)) return false;
  if (name.find('\\') != std::string_view::npos) return false;
  while (true) {
    const std::size_t slash = name.find('/');
    const std::string_view part = name.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash == std::string_view::npos) return true;
    name.remove_prefix(slash + 1);
  }
}

class Reader {
 public:
  explicit Reader(const File& file) : input_(file) {}

  [[nodiscard]] ZipDirectory read() {
    const ZipExtent extent = find_zip_directory(input_);
    std::vector<Central> centrals = parse_directory(extent);
    check_order(centrals, extent);
    ZipDirectory directory;
    for (Central& central : centrals) directory.entries.push_back(std::move(central.entry));
    std::sort(directory.entries.begin(), directory.entries.end(),
              [](const ZipEntry& a, const ZipEntry& b) { return a.name < b.name; });
    const auto twice =
        std::adjacent_find(directory.entries.begin(), directory.entries.end(),
                           [](const ZipEntry& a, const ZipEntry& b) { return a.name == b.name; });
    if (twice != directory.entries.end()) input_.refuse(twice->name, "stands in it twice");
    return directory;
  }

 private:
  [[nodiscard]] std::vector<Central> parse_directory(const ZipExtent& extent) const;
  [[nodiscard]] Central parse_central(std::string_view record) const;
  void check_order(std::vector<Central>& centrals, const ZipExtent& extent) const;
  void check_local(Central& central, std::int64_t next) const;
  void check_local_sizes(const Central& central, std::string_view head,
                         std::string_view extra) const;
  void check_descriptor(const Central& central, std::int64_t from, std::int64_t next) const;
  [[nodiscard]] Extra64 zip64_of(std::string_view extra, std::string_view name) const;

  ZipInput input_;
};

std::vector<Central> Reader::parse_directory(const ZipExtent& extent) const {
  const std::string bytes = input_.take(extent.begin, extent.end - extent.begin);
  if (bytes.find(kEndSignature) != std::string::npos) input_.refuse("it holds two end records");
  std::vector<Central> centrals;
  std::string_view rest = bytes;
  for (std::int64_t i = 0; i < extent.entries; ++i) {
    if (rest.size() < kCentralBytes || !rest.starts_with(kCentralSignature)) {
      input_.refuse(fmt::format("record {} of its directory is damaged", i));
    }
    const std::size_t length = std::size_t{kCentralBytes} + load_little<std::uint16_t>(rest, 28) +
                               load_little<std::uint16_t>(rest, 30);
    if (length > rest.size())
      input_.refuse(fmt::format("record {} of its directory is cut short", i));
    centrals.push_back(parse_central(rest.substr(0, length)));
    rest.remove_prefix(length);
  }
  if (!rest.empty()) input_.refuse(fmt::format("its directory has {} bytes too many", rest.size()));
  return centrals;
}

Central Reader::parse_central(std::string_view record) const {
  const std::size_t name_size = load_little<std::uint16_t>(record, 28);
  Central central;
  central.entry.name = record.substr(kCentralBytes, name_size);
  const std::string& name = central.entry.name;
  if (!is_plain_name(name)) {
    input_.refuse(
        fmt::format("the name of an entry ({} bytes) is empty, absolute or holds '..', '\\' or "
                    "control characters",
                    name.size()));
  }
  central.flags = load_little<std::uint16_t>(record, 8);
  if ((central.flags & kEncrypted) != 0) input_.refuse(name, "is encrypted");
  if ((central.flags & ~(kHasDescriptor | kUtf8)) != 0) input_.refuse(name, "has unknown flags");
  if (load_little<std::uint16_t>(record, 10) != 0) {
    input_.refuse(name,
                  "is compressed, but torch.save only stores: a TorchScript program, or zipped "
                  "again by another tool?");
  }
  if (load_little<std::uint16_t>(record, 32) != 0) input_.refuse(name, "carries a comment");
  if (load_little<std::uint16_t>(record, 34) != 0) input_.refuse(name, "lies in another part");
  central.entry.crc = load_little<std::uint32_t>(record, 16);
  Extra64 extra = zip64_of(record.substr(kCentralBytes + name_size), name);
  const auto size = extra.widen(load_little<std::uint32_t>(record, 24));
  const auto packed = extra.widen(load_little<std::uint32_t>(record, 20));
  const auto header = extra.widen(load_little<std::uint32_t>(record, 42));
  const auto limit = static_cast<std::uint64_t>(input_.size());
  if (!size || !packed || !header || *size != *packed || *size > limit || *header > limit) {
    input_.refuse(name, "has sizes that differ or do not fit into the file");
  }
  central.entry.size = static_cast<std::int64_t>(*size);
  central.header = static_cast<std::int64_t>(*header);
  return central;
}

Extra64 Reader::zip64_of(std::string_view extra, std::string_view name) const {
  std::optional<std::string_view> values;
  while (!extra.empty()) {
    const std::size_t size = extra.size() < 4 ? 0 : load_little<std::uint16_t>(extra, 2);
    if (extra.size() < 4 + size) input_.refuse(name, "has a damaged extra field");
    if (load_little<std::uint16_t>(extra, 0) == kZip64Extra) {
      if (values) input_.refuse(name, "has two zip64 fields");
      values = extra.substr(4, size);
    }
    extra.remove_prefix(4 + size);
  }
  return {values.value_or(std::string_view())};
}

void Reader::check_order(std::vector<Central>& centrals, const ZipExtent& extent) const {
  std::sort(centrals.begin(), centrals.end(),
            [](const Central& a, const Central& b) { return a.header < b.header; });
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < centrals.size(); ++i) {
    const std::int64_t next = i + 1 < centrals.size() ? centrals[i + 1].header : extent.begin;
    if (i == 0 && centrals[i].header != begin)
      input_.refuse("something stands before its first entry");
    check_local(centrals[i], next);
  }
}

void Reader::check_local(Central& central, std::int64_t next) const {
  const std::string& name = central.entry.name;
  const std::int64_t names_end =
      central.header + kLocalBytes + static_cast<std::int64_t>(name.size());
  if (names_end > next) input_.refuse(name, "overlaps what follows it");
  const std::string head = input_.take(central.header, names_end - central.header);
  if (!head.starts_with(kLocalSignature) || head.substr(kLocalBytes) != name ||
      load_little<std::uint16_t>(head, 26) != name.size() ||
      load_little<std::uint16_t>(head, 6) != central.flags ||
      load_little<std::uint16_t>(head, 8) != 0) {
    input_.refuse(name, "has a local header that contradicts the directory");
  }
  const std::int64_t extra_size = load_little<std::uint16_t>(head, 28);
  const std::int64_t data = names_end + extra_size;
  if (data > next || central.entry.size > next - data)
    input_.refuse(name, "overlaps what follows it");
  check_local_sizes(central, head, input_.take(names_end, extra_size));
  central.entry.offset = data;
  const std::int64_t end = data + central.entry.size;
  if ((central.flags & kHasDescriptor) != 0)
    check_descriptor(central, end, next);
  else if (end != next)
    input_.refuse(name, fmt::format("is followed by {} bytes of no entry", next - end));
}

void Reader::check_local_sizes(const Central& central, std::string_view head,
                               std::string_view extra) const {
  const bool is_late = (central.flags & kHasDescriptor) != 0;
  const auto size = static_cast<std::uint64_t>(central.entry.size);
  const auto crc = load_little<std::uint32_t>(head, 14);
  const auto narrow = load_little<std::uint32_t>(head, 22);
  const auto packed = load_little<std::uint32_t>(head, 18);
  Extra64 wide = zip64_of(extra, central.entry.name);
  // miniz leaves zeros in front of the data where a descriptor follows, others saturate.
  if (is_late && (crc == 0 || crc == central.entry.crc) && narrow == packed &&
      (narrow == 0 || narrow == kSaturated32)) {
    return;
  }
  if (crc != central.entry.crc || wide.widen(narrow) != size || wide.widen(packed) != size) {
    input_.refuse(central.entry.name, "has sizes or a checksum that contradict the directory");
  }
}

void Reader::check_descriptor(const Central& central, std::int64_t from, std::int64_t next) const {
  const auto size = static_cast<std::uint64_t>(central.entry.size);
  std::string expected(kDescriptorSignature);
  append_little(expected, central.entry.crc);
  const bool is_wide = next - from == kWideDescriptorBytes;
  for (int i = 0; i < 2; ++i) {
    if (is_wide)
      append_little(expected, size);
    else
      append_little(expected, static_cast<std::uint32_t>(size));
  }
  if (next - from != static_cast<std::int64_t>(expected.size()) ||
      (!is_wide && size > kSaturated32) || input_.take(from, next - from) != expected) {
    input_.refuse(central.entry.name, "is not followed by its data descriptor alone");
  }
}

}  // namespace

const ZipEntry* ZipDirectory::find(std::string_view name) const noexcept {
  const auto at = std::lower_bound(
      entries.begin(), entries.end(), name,
      [](const ZipEntry& entry, std::string_view wanted) { return entry.name < wanted; });
  return at != entries.end() && at->name == name ? &*at : nullptr;
}

ZipDirectory read_zip_directory(const File& file) {
  return Reader(file).read();
}

}  // namespace koine::checkpoint
