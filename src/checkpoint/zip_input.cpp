#include "checkpoint/zip_input.hpp"

#include <span>

#include <fmt/format.h>

#include "checkpoint/little_endian.hpp"
#include "checkpoint/zip_layout.hpp"
#include "core/error.hpp"

namespace koine::checkpoint {
namespace {

using namespace zip;  // NOLINT(google-build-using-namespace): field sizes and signatures

constexpr std::int64_t kMostEntries = 300'000;
constexpr std::int64_t kLargestDirectory = std::int64_t{64} << 20;

ZipExtent wide_extent(const ZipInput& input, const ZipExtent& narrow) {
  const std::int64_t place = input.size() - kEndBytes - kLocatorBytes - kEnd64Bytes;
  const std::string record = input.take(place, kEnd64Bytes + kLocatorBytes);
  const auto number = [&record](std::size_t at) { return load_little<std::uint64_t>(record, at); };
  const bool is_sound = record.starts_with(kEnd64Signature) && number(4) == kEnd64Bytes - 12 &&
                        number(16) == 0 && number(24) == number(32) &&
                        load_little<std::uint32_t>(record, 60) == 0 &&
                        number(64) == static_cast<std::uint64_t>(place) &&
                        load_little<std::uint32_t>(record, 72) <= 1;
  const auto limit = static_cast<std::uint64_t>(input.size());
  if (!is_sound || number(32) > limit || number(40) > limit || number(48) > limit) {
    input.refuse("its zip64 end record is damaged");
  }
  const ZipExtent wide{static_cast<std::int64_t>(number(32)), static_cast<std::int64_t>(number(48)),
                       static_cast<std::int64_t>(number(48) + number(40))};
  const std::int64_t narrow_size = narrow.end - narrow.begin;
  const bool is_same = (narrow.entries == kSaturated16 || narrow.entries == wide.entries) &&
                       (narrow.begin == kSaturated32 || narrow.begin == wide.begin) &&
                       (narrow_size == kSaturated32 || narrow_size == wide.end - wide.begin);
  if (!is_same) input.refuse("its two end records contradict each other");
  return wide;
}

}  // namespace

std::string ZipInput::take(std::int64_t offset, std::int64_t count) const {
  if (offset < 0 || count > size_ || offset > size_ - count) {
    refuse(fmt::format("it has {} bytes, but {} are announced at byte {}; is it complete?", size_,
                       count, offset));
  }
  std::string bytes(static_cast<std::size_t>(count), '\0');
  file_.read_at(std::as_writable_bytes(std::span(bytes)), offset);
  return bytes;
}

void ZipInput::refuse(const std::string& reason) const {
  throw InputError(
      fmt::format("{}: is no archive as torch.save writes it: {}", file_.path(), reason));
}

void ZipInput::refuse(std::string_view entry, const std::string& reason) const {
  refuse(fmt::format("entry '{:.200}' {}", entry, reason));
}

ZipExtent find_zip_directory(const ZipInput& input) {
  if (input.size() < kEndBytes) input.refuse(fmt::format("it has only {} bytes", input.size()));
  if (input.take(0, 4) != kLocalSignature) input.refuse("it does not begin with a zip entry");
  const std::string end = input.take(input.size() - kEndBytes, kEndBytes);
  if (!end.starts_with(kEndSignature) || load_little<std::uint16_t>(end, 20) != 0) {
    input.refuse("its last 22 bytes are no end record; it is cut short, or something was appended");
  }
  const auto entries = load_little<std::uint16_t>(end, 10);
  if (load_little<std::uint32_t>(end, 4) != 0 || load_little<std::uint16_t>(end, 8) != entries) {
    input.refuse("it is one part of a zip of several parts");
  }
  const std::int64_t begin = load_little<std::uint32_t>(end, 16);
  ZipExtent extent{entries, begin, begin + load_little<std::uint32_t>(end, 12)};
  std::int64_t expected_end = input.size() - kEndBytes;
  if (input.size() >= kEndBytes + kLocatorBytes &&
      input.take(input.size() - kEndBytes - kLocatorBytes, 4) == kLocatorSignature) {
    extent = wide_extent(input, extent);
    expected_end -= kLocatorBytes + kEnd64Bytes;
  }
  if (extent.end != expected_end || extent.begin > extent.end) {
    input.refuse(
        fmt::format("its directory is said to fill bytes {} to {}, but must end at byte {}",
                    extent.begin, extent.end, expected_end));
  }
  const std::int64_t bytes = extent.end - extent.begin;
  if (extent.entries > kMostEntries || bytes > kLargestDirectory ||
      bytes / kCentralBytes < extent.entries) {
    input.refuse(
        fmt::format("a directory of {} bytes cannot hold {} entries (at most {} in {} bytes)",
                    bytes, extent.entries, kMostEntries, kLargestDirectory));
  }
  return extent;
}

}  // namespace koine::checkpoint
