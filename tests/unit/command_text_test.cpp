#include "pipeline/command_text.hpp"

#include <array>
#include <cstdio>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "support/temporary_folder.hpp"

namespace koine::pipeline {
namespace {

const CommandValues kValues{{"rank", "7"},
                            {"hard", "it's \"$HOME\" `id` \\ a;b\n*\\n"},
                            {"empty", ""},
                            {"svd.mode", "fast"}};

/// What a shell makes of an expanded command.
std::string said(const std::string& command) {
  const std::string expanded = expand_command(command, kValues);
  std::string out;
  FILE* pipe = ::popen(expanded.c_str(), "r");
  std::array<char, 256> buffer{};
  for (std::size_t got = 1; got > 0;) {
    got = std::fread(buffer.data(), 1, buffer.size(), pipe);
    out.append(buffer.data(), got);
  }
  EXPECT_EQ(::pclose(pipe), 0) << expanded;
  return out;
}

TEST(CommandText, ReplacesNamesByQuotedValues) {
  EXPECT_EQ(expand_command("a {rank} x{rank}.json {empty} {svd.mode}", kValues),
            "a '7' x'7'.json '' 'fast'");
  EXPECT_EQ(expand_command("", kValues), "");
  EXPECT_EQ(expand_command("{rank}", {{"rank", "it's"}, {"rank", "last"}}), "'last'");
}

TEST(CommandText, OtherBracesStayAsTheyAre) {
  for (const char* same : {"awk '{print $1}'",
                           "find . -exec ls {} +",
                           "echo {a,b}",
                           "{ true; }",
                           "f() { g; }",
                           "echo ${HOME} ${rank}",
                           "jq '{\"wer\": .x}'",
                           "{{.Names}}",
                           "{ rank }",
                           "{0}",
                           "{1a}",
                           "{",
                           "{rank",
                           "}}",
                           "{{",
                           "\\{rank}",
                           "python3 -c 'f\"{args.rank}\"'",
                           "{{args.rank}}",
                           "echo {rank }",
                           "echo {raank-1}",
                           "echo \\"}) {
    EXPECT_EQ(expand_command(same, kValues), same);
  }
}

TEST(CommandText, DoubledBracesAreTheCommandsOwn) {
  EXPECT_EQ(expand_command("awk '{{print}}' {{{rank}}} {{svd.mode}} {{rank}", kValues),
            "awk '{print}' {{rank}} {svd.mode} {'7'");
}

TEST(CommandText, EveryValueIsOneWordOfTheShellInAnyQuotes) {
  const std::string& hard = kValues[1].second;
  for (const char* command :
       {"printf '%s|' {hard}", "printf '%s|' \"{hard}\"", "printf '%s|' '{hard}'",
        "printf '%s|' \"\"{hard}''", "printf '%s|' \"$(printf '%s' {hard})\"",
        "printf '%s|' \"$(printf '%s' \"{hard}\")\"", "# don't\nprintf '%s|' {hard}",
        "(printf '%s|' {hard})", "printf '%s|' \\\"x >/dev/null; printf '%s|' {hard}",
        "printf '%s|' \"`printf '%s' \"a\"`\" >/dev/null; printf '%s|' {hard}"}) {
    EXPECT_EQ(said(command), hard + "|") << command;
  }
  EXPECT_EQ(said("printf '%s|' 'a b'{rank}\"c {rank}\" '{empty}' {empty}"), "a b7c 7|||");
}

TEST(CommandText, CommentsStayAsTheyAre) {
  EXPECT_EQ(expand_command("a # {unknown} isn't\nb {rank} $# x#{rank}", kValues),
            "a # {unknown} isn't\nb '7' $# x#'7'");
}

TEST(CommandText, AnUnknownNameIsRefusedWithTheNearest) {
  EXPECT_EQ(test::message_of([] {
              check_command("a {rnak}", {"checkpoint", "rank"});
            }),
            "evaluate.command: unknown placeholder {rnak} (did you mean 'rank'?); known are "
            "checkpoint, rank, result; write {{rnak}} for braces that are the command's own");
  EXPECT_NO_THROW(check_command("a {rank} {result} '{{rnak}}'", {"rank"}));
  EXPECT_THROW(check_command("awk '{print}'", {"rank"}), InputError);
  EXPECT_THROW(check_command(std::string("a\0b", 3), {}), InputError);
  EXPECT_THROW((void)expand_command("a", {{"x", std::string("\0", 1)}}), InputError);
}

TEST(CommandText, EnvironmentNames) {
  EXPECT_EQ(environment_entry("rank", "7"), "KOINE_RANK=7");
  EXPECT_EQ(environment_entry("svd.mode-2", "a=b c"), "KOINE_SVD_MODE_2=a=b c");
}

}  // namespace
}  // namespace koine::pipeline
