#include "store/shard_writer.hpp"

#include <cstdlib>

#include <gtest/gtest.h>
#include <sys/mount.h>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "support/small_run.hpp"
#include "support/temporary_folder.hpp"

namespace koine::store {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;

std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

std::string as_text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A file system of one MiB; unmounted at the end. Only root of a machine that allows it can have
/// one.
class SmallDisk {
 public:
  explicit SmallDisk(const fs::path& at) : at_(at) {
    fs::create_directories(at_);
    is_mounted_ = ::mount("tmpfs", at_.c_str(), "tmpfs", 0, "size=1m") == 0;
  }
  ~SmallDisk() {
    if (is_mounted_) ::umount(at_.c_str());
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  [[nodiscard]] bool is_mounted() const { return is_mounted_; }

 private:
  fs::path at_;
  bool is_mounted_ = false;
};

TEST(ShardWriter, PutsEveryTensorWhereItsSealSays) {
  const TemporaryFolder folder;
  const auto tensors = test::every_kind();
  const ShardSeal seal = test::write_shard(folder / "a.h5", tensors);
  const std::string file = test::bytes_of(folder / "a.h5");
  EXPECT_EQ(seal.size, static_cast<std::int64_t>(file.size()));
  EXPECT_EQ(seal.sha256, sha256_of(file));
  ASSERT_EQ(seal.tensors.size(), tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const std::string expected = as_text(test::pattern(tensors[i], i));
    EXPECT_EQ(file.substr(static_cast<std::size_t>(seal.tensors[i].offset), expected.size()),
              expected);
    EXPECT_EQ(seal.tensors[i].sha256, sha256_of(expected)) << tensors[i].name;
    EXPECT_EQ(seal.tensors[i].name, tensors[i].name);
  }
  EXPECT_EQ(entries(folder.path()), 1U);
}

TEST(ShardWriter, WritesTheSameBytesInAnyOrderAndAtAnyPath) {
  const TemporaryFolder folder;
  const auto tensors = test::every_kind();
  const ShardSeal forward = test::write_shard(folder / "x/a.h5", tensors);
  fs::create_directories(folder / "y");
  ShardWriter writer(folder / "y/b.h5", "a", tensors);
  for (std::size_t i = tensors.size(); i-- > 0;) {
    const auto bytes = test::pattern(tensors[i], i);
    const std::size_t half = bytes.size() / 2;
    writer.write(i, static_cast<std::int64_t>(half), std::span(bytes).subspan(half));
    writer.write(i, 0, std::span(bytes).first(half));
  }
  EXPECT_EQ(writer.publish(1).sha256, forward.sha256);
  EXPECT_EQ(test::bytes_of(folder / "x/a.h5"), test::bytes_of(folder / "y/b.h5"));
}

TEST(ShardWriter,
     HoldsAThousandTensorsInTheSameBytes) {  // links move from the group's header into a B-tree
  const TemporaryFolder folder;
  std::vector<ShardTensor> tensors;
  for (int i = 0; i < 1000; ++i)
    tensors.push_back({"tensor." + std::to_string(i), DType::f16, {3}});
  const std::string first = test::write_shard(folder / "x/a.h5", tensors).sha256;
  EXPECT_EQ(test::write_shard(folder / "y/a.h5", tensors).sha256, first);
}

TEST(ShardWriter, LeavesNothingWhenNotPublished) {
  const TemporaryFolder folder;
  {
    ShardWriter writer(folder / "a.h5", "a", test::every_kind());
    EXPECT_EQ(entries(folder.path()), 1U);
    EXPECT_FALSE(fs::exists(folder / "a.h5"));
  }
  EXPECT_EQ(entries(folder.path()), 0U);
}

TEST(ShardWriter, RefusesNamesThatHdf5CannotHold) {
  const TemporaryFolder folder;
  for (const std::string& name :
       {std::string("a/b"), std::string(), std::string("."), std::string("a\0b", 3)}) {
    EXPECT_THROW(ShardWriter(folder / "a.h5", "a", {{name, DType::f32, {1}}}), InputError) << name;
  }
  EXPECT_THROW(ShardWriter(folder / "a.h5", "a", {{"deep", DType::f32, Shape(33, 1)}}), InputError);
  EXPECT_THROW(
      ShardWriter(folder / "a.h5", "a", {{"twice", DType::f32, {1}}, {"twice", DType::f32, {1}}}),
      StorageError);
  EXPECT_EQ(entries(folder.path()), 0U);
}

TEST(ShardWriter, RefusesBytesBeyondATensor) {
  const TemporaryFolder folder;
  ShardWriter writer(folder / "a.h5", "a", {{"w", DType::f32, {2}}, {"next", DType::f32, {2}}});
  const std::vector<std::byte> bytes(8);
  EXPECT_THROW(writer.write(0, 4, bytes), Error);
  EXPECT_THROW(writer.write(0, -4, std::span(bytes).first(4)), Error);
  EXPECT_NO_THROW(writer.write(0, 0, bytes));
}

TEST(ShardWriter, NamesAFolderThatIsNotThere) {
  const TemporaryFolder folder;
  EXPECT_THROW(ShardWriter(folder / "no/a.h5", "a", {{"w", DType::f32, {2}}}), StorageError);
}

TEST(ShardWriter, FindsAFullDiskBeforeAnyWorkAndLeavesNothing) {
  const TemporaryFolder folder;
  const SmallDisk disk(folder / "disk");
  if (!disk.is_mounted()) GTEST_SKIP() << "cannot mount a tmpfs here";
  const ShardTensor large{"w", DType::u8, {2 << 20}};
  const std::string message =
      test::message_of([&] { ShardWriter(folder / "disk/a.h5", "a", {large}); });
  EXPECT_NE(message.find("No space left"), std::string::npos) << message;
  EXPECT_THROW(ShardWriter(folder / "disk/a.h5", "a", {large}), StorageError);
  EXPECT_EQ(entries(folder / "disk"), 0U);
  EXPECT_NO_THROW(test::write_shard(folder / "disk/a.h5", {{"w", DType::u8, {1 << 19}}}));
}

TEST(ShardWriter, FindsADiskThatIsFullForTheLayoutAlone) {
  const TemporaryFolder folder;
  const SmallDisk disk(folder / "disk");
  if (!disk.is_mounted()) GTEST_SKIP() << "cannot mount a tmpfs here";
  test::put_bytes(folder / "disk/filler",
                  std::string(2 << 20, 'x'));  // stops when the disk is full
  EXPECT_THROW(ShardWriter(folder / "disk/a.h5", "a", {{"w", DType::u8, {1}}}), StorageError);
  EXPECT_EQ(entries(folder / "disk"), 1U);
}

TEST(WriteFileAtomically, LeavesNothingOnAFullDisk) {
  const TemporaryFolder folder;
  const SmallDisk disk(folder / "disk");
  if (!disk.is_mounted()) GTEST_SKIP() << "cannot mount a tmpfs here";
  EXPECT_THROW(write_file_atomically(folder / "disk/a.json", std::string(2 << 20, 'x')),
               StorageError);
  EXPECT_EQ(entries(folder / "disk"), 0U);
}

TEST(ShardWriter, WritesTheEndOfATensorAbove2GiB) {
  if (std::getenv("KOINE_BIG_TESTS") == nullptr)
    GTEST_SKIP() << "set KOINE_BIG_TESTS to write 3 GiB";
  const TemporaryFolder folder;
  const std::int64_t count = std::int64_t{3} << 30;
  ShardWriter writer(folder / "a.h5", "a", {{"w", DType::u8, {count}}, {"after", DType::u8, {1}}});
  const std::vector<std::byte> end(5, std::byte{7});
  writer.write(0, count - 5, end);
  const ShardSeal seal = writer.publish(2);
  const File file = File::open_read(folder / "a.h5");
  std::vector<std::byte> found(5);
  file.read_at(found, seal.tensors[0].offset + count - 5);
  EXPECT_EQ(found, end);
  EXPECT_GT(seal.size, count);
}

}  // namespace
}  // namespace koine::store
