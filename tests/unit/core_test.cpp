#include <atomic>
#include <filesystem>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/hash.hpp"
#include "core/json.hpp"
#include "core/thread_pool.hpp"
#include "support/temporary_folder.hpp"

namespace koine {
namespace {

TEST(Hash, KnownAnswers) {
  EXPECT_EQ(sha256_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Fingerprint().hex(), "99aa06d3014798d86001c324468d497f");  // XXH3-128 of nothing
}

TEST(Hash, PiecesGiveWhatTheWholeGives) {
  const std::string text(100000, 'x');
  const auto bytes = std::as_bytes(std::span(text));
  Fingerprint whole, pieces;
  whole.update(bytes);
  for (std::size_t at = 0; at < bytes.size(); at += 777)
    pieces.update(bytes.subspan(at, std::min<std::size_t>(777, bytes.size() - at)));
  EXPECT_EQ(whole.hex(), pieces.hex());
}

TEST(File, AtomicWritesReplaceAndLeaveNothingElse) {
  const test::TemporaryFolder folder;
  write_file_atomically(folder / "a", "one");
  write_file_atomically(folder / "a", "two");
  EXPECT_EQ(read_text_file(folder / "a", 10), "two");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()),
                          std::filesystem::directory_iterator()),
            1);
}

TEST(File, SaysWhatIsWrong) {
  const test::TemporaryFolder folder;
  EXPECT_THROW((void)File::open_read(folder / "none"), InputError);
  EXPECT_THROW((void)File::open_read(folder.path()), InputError);
  write_file_atomically(folder / "a", "12345");
  EXPECT_THROW((void)read_text_file(folder / "a", 4), InputError);
  std::vector<std::byte> out(3);
  EXPECT_THROW(File::open_read(folder / "a").read_at(out, 4), InputError);
  EXPECT_THROW(write_file_atomically(folder / "no" / "such", "x"), StorageError);
}

TEST(Json, RefusesWhatParsersForgive) {
  EXPECT_EQ(parse_strict_json(R"({"a": [1, {"b": 2}], "c": {"b": 3}})", "t").at("c").at("b"), 3);
  for (const char* bad : {R"({"a": 1, "a": 2})", R"([{"x": {"a": 1, "a": 2}}])", R"({"a": 1} x)",
                          R"({"a": 1,})", "", "{\"a\": \"\xff\"}"}) {
    EXPECT_THROW((void)parse_strict_json(bad, "t"), InputError) << bad;
  }
  EXPECT_THROW((void)parse_strict_json(std::string(40, '[') + std::string(40, ']'), "t"),
               InputError);
}

TEST(ParallelFor, CallsEachOnceAndPassesTheFirstFault) {
  std::vector<std::atomic<int>> calls(1000);
  parallel_for(1000, 3, [&](std::int64_t i, int) { ++calls[static_cast<std::size_t>(i)]; });
  for (const auto& count : calls) EXPECT_EQ(count, 1);
  EXPECT_THROW(parallel_for(100, 3,
                            [](std::int64_t i, int) {
                              if (i == 50) throw InputError("fifty");
                            }),
               InputError);
}

}  // namespace
}  // namespace koine
