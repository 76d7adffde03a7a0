#include "checkpoint/zip_writer.hpp"

#include <algorithm>
#include <cassert>

#include <zlib.h>

#include "checkpoint/little_endian.hpp"
#include "checkpoint/zip_layout.hpp"

namespace koine::checkpoint {
namespace {

using namespace zip;  // NOLINT(google-build-using-namespace): field sizes and signatures

constexpr std::uint16_t kPadding = 0x4246;      // "FB", as torch pads
constexpr std::uint16_t kNewYear1980 = 0x0021;  // the first date that a zip knows
constexpr std::int64_t kCrcPlace = 14;          // in a local header

template <typename... Numbers>
void append_all(std::string& bytes, Numbers... numbers) {
  (append_little(bytes, numbers), ...);
}

std::uint16_t short_of(std::size_t number) {
  return static_cast<std::uint16_t>(number);
}

/// Version needed, flags, method (stored), time, date.
void append_common(std::string& bytes, bool is_wide) {
  append_all(bytes, std::uint16_t{is_wide ? std::uint16_t{45} : std::uint16_t{20}},
             static_cast<std::uint16_t>(kUtf8), std::uint16_t{0}, std::uint16_t{0}, kNewYear1980);
}

}  // namespace

ZipWriter::ZipWriter(const File& file, ZipWriterOptions options) : file_(file), options_(options) {}

void ZipWriter::write(std::span<const std::byte> bytes, std::int64_t offset) const {
  if (file_.is_open()) file_.write_at(bytes, offset);
}

void ZipWriter::skip(std::int64_t bytes) {
  assert(!file_.is_open() && bytes <= left_);
  position_ += bytes;
  left_ -= bytes;
}

void ZipWriter::put(std::string_view bytes) {
  write(std::as_bytes(std::span(bytes)), position_);
  position_ += static_cast<std::int64_t>(bytes.size());
}

void ZipWriter::begin(std::string_view name, std::int64_t size) {
  assert(left_ == 0 && size >= 0);
  entries_.push_back({std::string(name), position_, size, 0});
  std::string extra;
  if (is_wide(size)) {
    append_all(extra, kZip64Extra, std::uint16_t{16}, static_cast<std::uint64_t>(size),
               static_cast<std::uint64_t>(size));
  }
  const auto data =
      position_ + kLocalBytes + static_cast<std::int64_t>(name.size() + extra.size()) + 4;
  const auto padding = static_cast<std::size_t>((options_.alignment - data % options_.alignment) %
                                                options_.alignment);
  append_all(extra, kPadding, short_of(padding));
  extra.append(padding, 'Z');

  std::string header(kLocalSignature);
  append_common(header, is_wide(size));
  const std::uint32_t narrow = is_wide(size) ? kSaturated32 : static_cast<std::uint32_t>(size);
  append_all(header, std::uint32_t{0}, narrow, narrow, short_of(name.size()),
             short_of(extra.size()));
  put(header.append(name).append(extra));
  left_ = size;
}

void ZipWriter::append(std::span<const std::byte> bytes) {
  assert(static_cast<std::int64_t>(bytes.size()) <= left_);
  std::uint32_t& crc = entries_.back().crc;
  crc = static_cast<std::uint32_t>(
      crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
  write(bytes, position_);
  position_ += static_cast<std::int64_t>(bytes.size());
  left_ -= static_cast<std::int64_t>(bytes.size());
}

void ZipWriter::end() {
  assert(left_ == 0);
  std::string crc;
  append_little(crc, entries_.back().crc);
  write(std::as_bytes(std::span(crc)), entries_.back().header + kCrcPlace);
}

void ZipWriter::add(std::string_view name, std::string_view content) {
  begin(name, static_cast<std::int64_t>(content.size()));
  append(std::as_bytes(std::span(content)));
  end();
}

std::string ZipWriter::central_record(const Entry& entry) const {
  std::string extra;
  if (is_wide(entry.size)) {
    append_all(extra, static_cast<std::uint64_t>(entry.size),
               static_cast<std::uint64_t>(entry.size));
  }
  if (is_wide(entry.header)) append_little(extra, static_cast<std::uint64_t>(entry.header));
  std::string record(kCentralSignature);
  append_little(record, std::uint16_t{45});
  append_common(record, !extra.empty());
  const auto narrow = [this](std::int64_t n) {
    return is_wide(n) ? kSaturated32 : static_cast<std::uint32_t>(n);
  };
  append_all(record, entry.crc, narrow(entry.size), narrow(entry.size), short_of(entry.name.size()),
             short_of(extra.empty() ? 0 : extra.size() + 4));
  append_all(record, std::uint16_t{0}, std::uint16_t{0}, std::uint16_t{0}, std::uint32_t{0},
             narrow(entry.header));
  record += entry.name;
  if (!extra.empty()) append_all(record, kZip64Extra, short_of(extra.size()));
  return record + extra;
}

void ZipWriter::finish() {
  assert(left_ == 0);
  const auto begin = static_cast<std::uint64_t>(position_);
  const std::uint64_t count = entries_.size();
  std::string records;
  for (const Entry& entry : entries_) records += central_record(entry);
  const std::uint64_t size = records.size();
  const auto end = begin + size;
  const bool is_many = count >= kSaturated16;
  if (is_many || is_wide(static_cast<std::int64_t>(end))) {
    records += kEnd64Signature;
    append_all(records, std::uint64_t{kEnd64Bytes - 12}, std::uint16_t{45}, std::uint16_t{45},
               std::uint32_t{0}, std::uint32_t{0}, count, count, size, begin);
    records += kLocatorSignature;
    append_all(records, std::uint32_t{0}, end, std::uint32_t{1});
  }
  const auto narrow = [this](std::uint64_t n) {
    return is_wide(static_cast<std::int64_t>(n)) ? kSaturated32 : static_cast<std::uint32_t>(n);
  };
  const auto few = is_many ? kSaturated16 : short_of(count);
  records += kEndSignature;
  append_all(records, std::uint16_t{0}, std::uint16_t{0}, few, few, narrow(size), narrow(begin),
             std::uint16_t{0});
  put(records);
}

}  // namespace koine::checkpoint
