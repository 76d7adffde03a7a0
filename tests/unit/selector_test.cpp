#include "recipe/selector.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checkpoint/names.hpp"
#include "recipe/selector_word.hpp"
#include "support/temporary_folder.hpp"

namespace koine::recipe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::size_t> hits(const std::vector<std::string>& words, const std::string& canonical) {
  return Selector(words).hits(canonical, checkpoint::hf_name(canonical));
}

TEST(Selector, RolesFollowTheTable) {
  EXPECT_THAT(hits({"attention", "mlp", "decoder", "fc1"}, "decoder.blocks.3.mlp.0.weight"),
              ElementsAre(1, 2, 3));
  EXPECT_THAT(hits({"attention", "cross_attention", "self_attention"},
                   "decoder.blocks.3.cross_attn.query.weight"),
              ElementsAre(0, 1));
  EXPECT_THAT(hits({"attention", "norm"}, "encoder.blocks.0.attn_ln.weight"), ElementsAre(1));
  EXPECT_THAT(hits({}, "encoder.conv1.weight"), ElementsAre());
}

TEST(Selector, GlobsMatchEitherNameWhole) {
  const std::string fc1 =
      "encoder.blocks.11.mlp.0.weight";  // HF: model.encoder.layers.11.fc1.weight
  EXPECT_THAT(hits({"*.fc1.weight", "*.mlp.0.weight", "encoder.*", "fc1", "*"},
                   "encoder.blocks.11.mlp.0.weight"),
              ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(hits({"*.fc1", "encoder.blocks.1.*", "model.decoder.*"}, fc1), ElementsAre());
  EXPECT_THAT(hits({"*.layers.1?.fc1.*", "*.blocks.[0-9][0-9].*", fc1}, fc1), ElementsAre(0, 1, 2));
}

TEST(Selector, RegexesMatchWhole) {
  const std::string key = "decoder.blocks.2.attn.key.weight";
  EXPECT_THAT(
      hits({R"(/decoder\.blocks\.[0-3]\..*/)", "/attn/", R"(/.*self_attn\.k_proj\.weight/)"}, key),
      ElementsAre(0, 2));
}

TEST(Selector, RegexesCannotHangARun) {
  const Selector selector({"/(a*)*(a*)*(a*)*b/"});
  EXPECT_THAT(selector.hits(std::string(60, 'a'), std::string(5000, 'a')), ElementsAre());
}

TEST(Selector, SaysWhatIsWrongWithAWord) {
  const auto error = [](const std::string& word) {
    return test::message_of([&word] { const Selector selector({word}); });
  };
  EXPECT_EQ(error("atention"), "select: 'atention' is no role (did you mean 'attention'?)");
  EXPECT_THAT(error("feedforward"),
              HasSubstr("'feedforward' is no role; roles are attention, self_attention"));
  EXPECT_THAT(error("/[/"), HasSubstr("'/[/' is no regular expression"));
  EXPECT_THAT(error("/" + std::string(300, 'a') + "/"),
              HasSubstr("has 302 characters, at most 256"));
  EXPECT_THAT(error(""), HasSubstr("an empty word"));
  EXPECT_EQ(error("encoder.conv1.weight"), "");
}

struct Glob {
  const char* pattern;
  const char* text;
  bool is_match;
};

void PrintTo(const Glob& glob, std::ostream* out) {
  *out << glob.pattern << " on " << glob.text;
}

class GlobMatches : public ::testing::TestWithParam<Glob> {};

TEST_P(GlobMatches, AsTheShellDoes) {
  EXPECT_EQ(glob_matches(GetParam().pattern, GetParam().text), GetParam().is_match);
}

INSTANTIATE_TEST_SUITE_P(Patterns, GlobMatches,
                         ::testing::Values(Glob{"", "", true}, Glob{"", "a", false},
                                           Glob{"*", "", true}, Glob{"a*b*c", "axxbyyc", true},
                                           Glob{"a*b*c", "axxbyy", false}, Glob{"*a", "aaaa", true},
                                           Glob{"a?c", "abc", true}, Glob{"a?c", "ac", false},
                                           Glob{"[!0-9]x", "ax", true},
                                           Glob{"[!0-9]x", "5x", false}, Glob{"[]]x", "]x", true},
                                           Glob{"[ab", "[ab", true}, Glob{"a**", "a", true},
                                           Glob{"[a-]", "-", true}));

}  // namespace
}  // namespace koine::recipe
