#include "core/text.hpp"

#include <gtest/gtest.h>

namespace koine {
namespace {

TEST(Text, NearestFindsOneSlip) {
  const std::vector<std::string> keys{"density", "rank", "lambda"};
  EXPECT_EQ(nearest("densty", keys), "density");
  EXPECT_EQ(nearest("lamdba", keys), "lambda");
  EXPECT_EQ(nearest("temperature", keys), std::nullopt);
}

TEST(Text, ParsesSizesAsPeopleWriteThem) {
  EXPECT_EQ(parse_bytes("16GiB"), std::int64_t{16} << 30);
  EXPECT_EQ(parse_bytes("5GB"), 5'000'000'000);
  EXPECT_EQ(parse_bytes("512M"), std::int64_t{512} << 20);
  EXPECT_EQ(parse_bytes("123"), 123);
  EXPECT_EQ(parse_bytes("12 kB"), 12000);
  EXPECT_EQ(parse_bytes("-1"), std::nullopt);
  EXPECT_EQ(parse_bytes("5 parsecs"), std::nullopt);
}

TEST(Text, ListsReadLikeSentences) {
  EXPECT_EQ(list_of({}), "");
  EXPECT_EQ(list_of(std::vector<std::string>{"a"}), "a");
  EXPECT_EQ(list_of(std::vector<std::string>{"a", "b"}), "a and b");
  EXPECT_EQ(list_of(std::vector<std::string>{"a", "b", "c"}), "a, b and c");
}

TEST(Text, ShowsFiguresForPeople) {
  EXPECT_EQ(human_bytes(999), "999 B");
  EXPECT_EQ(human_bytes(3'086'000'000), "3.09 GB");
  EXPECT_EQ(human_count(1543490560), "1,543,490,560");
  EXPECT_EQ(human_seconds(185), "3 min 05 s");
}

TEST(Text, WordsOfAShellAreQuotedWhereTheyMustBe) {
  EXPECT_EQ(shell_word("runs/five-1_a.b:c=d,e+f%g@h"), "runs/five-1_a.b:c=d,e+f%g@h");
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("two words"), "'two words'");
  EXPECT_EQ(shell_word("it's $HOME"), "'it'\\''s $HOME'");
  EXPECT_EQ(shell_word("~"), "'~'");
}

}  // namespace
}  // namespace koine
