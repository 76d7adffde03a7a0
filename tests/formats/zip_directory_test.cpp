#include "checkpoint/zip_directory.hpp"

#include <functional>
#include <ostream>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "support/header_file.hpp"
#include "support/temporary_folder.hpp"
#include "support/zip_builder.hpp"

namespace koine::checkpoint {
namespace {

using test::ZipLies;
using test::ZipPart;
using Parts = std::vector<ZipPart>;

Parts honest() {
  Parts parts(3);
  parts[0].name = "a/one";
  parts[0].data = "first";
  parts[1].name = "a/two";
  parts[1].data = "second entry";
  parts[2].name = "a/none";
  return parts;
}

ZipDirectory read(const std::string& bytes) {
  const test::TemporaryFolder folder;
  test::write_bytes(folder / "x.zip", bytes);
  return read_zip_directory(File::open_read(folder / "x.zip"));
}

std::string little64(std::uint64_t number) {
  std::string bytes;
  for (unsigned i = 0; i < 8; ++i) bytes += static_cast<char>((number >> (8 * i)) & 0xFFU);
  return bytes;
}

std::string descriptor(const std::string& data) {
  const std::uint64_t crc = test::crc_of(data), size = data.size();
  return "PK\x07\x08" + little64(crc).substr(0, 4) + little64(size).substr(0, 4) +
         little64(size).substr(0, 4);
}

TEST(ZipDirectory, GivesNamesPlacesAndSizes) {
  const std::string bytes = test::zip_bytes(honest());
  const ZipDirectory directory = read(bytes);
  ASSERT_EQ(directory.entries.size(), 3U);
  const ZipEntry* two = directory.find("a/two");
  ASSERT_NE(two, nullptr);
  EXPECT_EQ(
      bytes.substr(static_cast<std::size_t>(two->offset), static_cast<std::size_t>(two->size)),
      "second entry");
  EXPECT_EQ(two->crc, test::crc_of("second entry"));
  EXPECT_EQ(directory.find("a/three"), nullptr);
}

TEST(ZipDirectory, UnderstandsDescriptorsOfBothWidths) {
  Parts parts = honest();
  parts[0].flags = 0x0808;
  parts[0].descriptor = descriptor(parts[0].data);
  parts[1].flags = 0x0808;
  parts[1].descriptor = descriptor(parts[1].data).substr(0, 8) + little64(12) + little64(12);
  EXPECT_EQ(read(test::zip_bytes(parts)).find("a/two")->size, 12);
}

TEST(ZipDirectory, UnderstandsZip64Sizes) {
  Parts parts = honest();
  parts[1].local_size = parts[1].central_size = 0xFFFFFFFFU;
  parts[1].local_extra = parts[1].central_extra =
      std::string("\x01\0\x10\0", 4) + little64(12) + little64(12);
  EXPECT_EQ(read(test::zip_bytes(parts)).find("a/two")->size, 12);
  parts[1].central_extra = std::string("\x01\0\x08\0", 4) + little64(12);
  EXPECT_NE(test::message_of([&] { (void)read(test::zip_bytes(parts)); }), "");
}

struct Lie {
  const char* name;
  std::function<void(Parts&, ZipLies&)> tell;
  const char* message;  ///< a part of the expected complaint
};
std::ostream& operator<<(std::ostream& out, const Lie& lie) {
  return out << lie.name;
}

class Hostile : public testing::TestWithParam<Lie> {};

TEST_P(Hostile, IsRefused) {
  Parts parts = honest();
  ZipLies lies;
  GetParam().tell(parts, lies);
  const std::string bytes = test::zip_bytes(parts, lies);
  EXPECT_THROW((void)read(bytes), InputError);
  EXPECT_NE(test::message_of([&] { (void)read(bytes); }).find(GetParam().message),
            std::string::npos)
      << test::message_of([&] { (void)read(bytes); });
}

const std::vector<Lie> kLies{
    {"two_end_records", [](Parts&, ZipLies& l) { l.end_records = 2; }, "must end at byte"},
    {"end_record_in_a_name",
     [](Parts& p, ZipLies&) { p[1].central_extra = std::string("\x42\x42\x04\0PK\x05\x06", 8); },
     "two end records"},
    {"appended_bytes", [](Parts&, ZipLies& l) { l.back = "x"; }, "no end record"},
    {"comment", [](Parts&, ZipLies& l) { l.comment = "hello"; }, "no end record"},
    {"bytes_in_front", [](Parts&, ZipLies& l) { l.front = "#!/bin/sh\n"; }, "does not begin"},
    {"entry_in_front_of_the_first", [](Parts&, ZipLies& l) { l.front = "PK\x03\x04 hidden"; },
     "before its first"},
    {"hole_before_the_directory", [](Parts&, ZipLies& l) { l.before_directory = "hidden"; },
     "6 bytes of no entry"},
    {"hole_after_the_directory", [](Parts&, ZipLies& l) { l.after_directory = "hidden"; },
     "must end at byte"},
    {"hole_between_entries", [](Parts& p, ZipLies&) { p[0].descriptor = "zz"; },
     "2 bytes of no entry"},
    {"several_parts", [](Parts&, ZipLies& l) { l.disk = 1; }, "several parts"},
    {"more_entries_than_records", [](Parts&, ZipLies& l) { l.extra_entries = 1; }, "cannot hold"},
    {"fewer_entries_than_records", [](Parts&, ZipLies& l) { l.extra_entries = -1; }, "too many"},
    {"bomb_of_entries", [](Parts&, ZipLies& l) { l.extra_entries = 60000; }, "cannot hold"},
    {"deflated", [](Parts& p, ZipLies&) { p[1].method = 8; }, "is compressed"},
    {"encrypted", [](Parts& p, ZipLies&) { p[1].flags = 1; }, "is encrypted"},
    {"unknown_flags", [](Parts& p, ZipLies&) { p[1].flags = 0x2000; }, "unknown flags"},
    {"same_name_twice", [](Parts& p, ZipLies&) { p[1].name = "a/one"; }, "stands in it twice"},
    {"climbing_name", [](Parts& p, ZipLies&) { p[1].name = "a/../b"; }, "'..'"},
    {"absolute_name", [](Parts& p, ZipLies&) { p[1].name = "/a/b"; }, "absolute"},
    {"empty_name", [](Parts& p, ZipLies&) { p[1].name = ""; }, "empty"},
    {"folder", [](Parts& p, ZipLies&) { p[2].name = "a/"; }, "name of an entry"},
    {"backslash", [](Parts& p, ZipLies&) { p[1].name = "a\\b"; }, "name of an entry"},
    {"nul_in_a_name", [](Parts& p, ZipLies&) { p[1].name = std::string("a/b\0c", 5); },
     "name of an entry"},
    {"name_is_no_utf8", [](Parts& p, ZipLies&) { p[1].name = "a/\xff"; }, "name of an entry"},
    {"local_name_differs", [](Parts& p, ZipLies&) { p[1].local_name = "a/too"; }, "contradicts"},
    {"local_size_differs", [](Parts& p, ZipLies&) { p[1].local_size = 11; }, "contradict"},
    {"sizes_differ", [](Parts& p, ZipLies&) { p[1].packed_size = 11; }, "sizes that differ"},
    {"size_beyond_the_file", [](Parts& p, ZipLies&) { p[1].central_size = 1U << 30; },
     "do not fit"},
    {"size_into_the_next_entry",
     [](Parts& p, ZipLies&) { p[1].central_size = p[1].local_size = 20; }, "overlaps"},
    {"two_names_for_one_entry", [](Parts& p, ZipLies&) { p[1].header_offset = 0; }, "overlaps"},
    {"header_beyond_the_file", [](Parts& p, ZipLies&) { p[1].header_offset = 1U << 30; },
     "do not fit"},
    {"header_inside_data", [](Parts& p, ZipLies&) { p[1].header_offset = 20; }, "overlaps"},
    {"descriptor_missing", [](Parts& p, ZipLies&) { p[1].flags = 8; }, "data descriptor"},
    {"descriptor_of_other_data",
     [](Parts& p, ZipLies&) {
       p[1].flags = 8;
       p[1].descriptor = descriptor("other bytes!");
     },
     "data descriptor"},
    {"damaged_extra_field", [](Parts& p, ZipLies&) { p[1].central_extra = "abc"; }, "extra field"},
    {"damaged_local_extra_field",
     [](Parts& p, ZipLies&) { p[1].local_extra = std::string("\x01\0\x10\0", 4); }, "extra field"},
    {"zip64_size_missing", [](Parts& p, ZipLies&) { p[1].central_size = 0xFFFFFFFFU; },
     "sizes that differ"},
    {"two_zip64_fields",
     [](Parts& p, ZipLies&) { p[1].central_extra = std::string("\x01\0\0\0\x01\0\0\0", 8); },
     "two zip64"},
};
INSTANTIATE_TEST_SUITE_P(ZipDirectory, Hostile, testing::ValuesIn(kLies),
                         [](const auto& row) { return row.param.name; });

TEST(ZipDirectory, RefusesEveryTruncation) {
  const std::string bytes = test::zip_bytes(honest());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THROW((void)read(bytes.substr(0, size)), InputError) << size;
  }
}

}  // namespace
}  // namespace koine::checkpoint
