#include "checkpoint/write_safetensors.hpp"

#include <cstring>
#include <numeric>

#include <gtest/gtest.h>

#include "checkpoint/formats.hpp"
#include "checkpoint/source.hpp"
#include "core/file.hpp"
#include "golden_safetensors.hpp"
#include "support/header_file.hpp"
#include "support/temporary_folder.hpp"

namespace koine::checkpoint {
namespace {

TEST(WriteSafetensors, GivesTheReferencesBytes) {
  const test::TemporaryFolder folder;
  const std::string golden(reinterpret_cast<const char*>(kGolden.data()), kGolden.size());
  test::write_bytes(folder / "golden.safetensors", golden);
  const Checkpoint header = open_safetensors(folder / "golden.safetensors");
  const Source source(header);
  std::vector<OutTensor> tensors;
  for (const TensorInfo& t : header.tensors) tensors.push_back({t.name, t.dtype, t.shape});
  // Any order of the list gives one file.
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.rbegin(), order.rend(), std::size_t{0});
  std::vector<OutTensor> shuffled;
  for (const std::size_t i : order) shuffled.push_back(tensors[i]);
  write_safetensors(folder / "ours.safetensors", shuffled, {{"format", "pt"}},
                    [&](std::size_t index, std::int64_t offset, std::span<std::byte> out) {
                      const TensorInfo& t = header.tensors[order[index]];
                      const std::int64_t size = size_of(t.dtype);
                      source.read(t, offset / size, static_cast<std::int64_t>(out.size()) / size,
                                  out);
                    });
  EXPECT_EQ(read_text_file(folder / "ours.safetensors", 10000), golden);
}

TEST(WriteSafetensors, StreamsPiecesInOrder) {
  const test::TemporaryFolder folder;
  const std::int64_t count = (2 * kPieceBytes + 24) / 8;  // three pieces, the last one short
  std::int64_t expected = 0;
  write_safetensors(folder / "big.safetensors", {{"w", DType::i64, {count}}}, {},
                    [&](std::size_t, std::int64_t offset, std::span<std::byte> out) {
                      EXPECT_EQ(offset, expected);
                      EXPECT_LE(out.size(), static_cast<std::size_t>(kPieceBytes));
                      expected += static_cast<std::int64_t>(out.size());
                      for (std::size_t i = 0; i < out.size(); i += 8) {
                        const std::int64_t value = (offset + static_cast<std::int64_t>(i)) / 8;
                        std::memcpy(out.data() + i, &value, 8);
                      }
                    });
  const Checkpoint header = open_safetensors(folder / "big.safetensors");
  const Source source(header);
  std::int64_t last = 0;
  source.read(header.tensors[0], count - 1, 1, std::as_writable_bytes(std::span(&last, 1)));
  EXPECT_EQ(last, count - 1);
}

TEST(WriteSafetensors, LeavesNothingWhereTheSourceFails) {
  const test::TemporaryFolder folder;
  EXPECT_ANY_THROW(write_safetensors(
      folder / "w.safetensors", {{"w", DType::f32, {4}}}, {},
      [](std::size_t, std::int64_t, std::span<std::byte>) { throw std::runtime_error("source"); }));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace koine::checkpoint
