#include "checkpoint/source.hpp"

#include <cstring>
#include <thread>

#include <dirent.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "support/header_file.hpp"
#include "support/temporary_folder.hpp"

namespace koine::checkpoint {
namespace {

using test::write_bytes;

std::int64_t open_descriptors() {
  std::int64_t count = 0;
  DIR* folder = opendir("/proc/self/fd");
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

std::string floats(std::int64_t count) {
  std::string bytes;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto value = static_cast<float>(i);
    bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  return bytes;
}

std::vector<float> read(const Source& source, const TensorInfo& tensor, std::int64_t first,
                        std::int64_t count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  source.read(tensor, first, count, std::as_writable_bytes(std::span(values)));
  return values;
}

TensorInfo tensor(Shape shape, std::int64_t offset, std::vector<std::int64_t> strides,
                  std::int32_t file = 0) {
  return {"w", "w", DType::f32, std::move(shape), file, offset, std::move(strides)};
}

TEST(Source, ReadsRangesOfContiguousTensors) {
  const test::TemporaryFolder folder;
  write_bytes(folder / "w", "head" + floats(6));
  Checkpoint header;
  header.files = {{(folder / "w").string(), 28}};
  const Source source(header);
  EXPECT_EQ(read(source, tensor({2, 3}, 4, {}), 2, 3), (std::vector<float>{2, 3, 4}));
  EXPECT_EQ(read(source, tensor({2, 3}, 4, {}), 6, 0), std::vector<float>{});
}

TEST(Source, GathersStridedTensors) {
  const test::TemporaryFolder folder;
  write_bytes(folder / "w", floats(24));
  Checkpoint header;
  header.files = {{(folder / "w").string(), 96}};
  const Source source(header);
  // The transpose of a [4, 6] matrix, one of its columns, and one number for all elements.
  EXPECT_EQ(read(source, tensor({6, 4}, 0, {1, 6}), 3, 6),
            (std::vector<float>{18, 1, 7, 13, 19, 2}));
  EXPECT_EQ(read(source, tensor({4}, 8, {6}), 0, 4), (std::vector<float>{2, 8, 14, 20}));
  EXPECT_EQ(read(source, tensor({2, 2}, 20, {0, 0}), 0, 4), (std::vector<float>{5, 5, 5, 5}));
}

TEST(Source, GathersAcrossWindows) {
  const test::TemporaryFolder folder;
  const std::int64_t count = (std::int64_t{40} << 20) / 4;  // three windows of 16 MiB
  write_bytes(folder / "w", floats(count));
  Checkpoint header;
  header.files = {{(folder / "w").string(), count * 4}};
  const Source source(header);
  const auto values = read(source, tensor({count / 2, 2}, 0, {1, count / 2}), 0, count);
  for (const std::int64_t i : {std::int64_t{0}, count / 3, count - 1}) {
    EXPECT_EQ(values[static_cast<std::size_t>(i)],
              static_cast<float>(i / 2 + (i % 2) * (count / 2)));
  }
}

TEST(Source, KeepsAtMost64FilesOpenFromAnyThread) {
  const test::TemporaryFolder folder;
  Checkpoint header;
  for (int i = 0; i < 150; ++i) {
    const auto path = folder / std::to_string(i);
    write_bytes(path, floats(i + 1));
    header.files.push_back({path.string(), 4 * (i + 1)});
  }
  const Source source(header);
  const std::int64_t before = open_descriptors();
  const auto sweep = [&] {
    for (int round = 0; round < 3; ++round) {
      for (std::int32_t i = 0; i < 150; ++i) {
        ASSERT_EQ(read(source, tensor({i + 1}, 0, {}, i), i, 1)[0], static_cast<float>(i));
      }
    }
  };
  { const std::jthread first(sweep), second(sweep); }
  EXPECT_LE(open_descriptors() - before, 64);
}

TEST(Source, SaysWhereAFileBecameShorter) {
  const test::TemporaryFolder folder;
  write_bytes(folder / "w", floats(2));
  Checkpoint header;
  header.files = {{(folder / "w").string(), 16}};
  const Source source(header);
  EXPECT_THROW((void)read(source, tensor({4}, 0, {}), 0, 4), InputError);
}

}  // namespace
}  // namespace koine::checkpoint
