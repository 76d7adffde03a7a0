#include "pipeline/evaluate_answer.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "pipeline/metric_regex.hpp"
#include "pipeline/output_lines.hpp"
#include "support/temporary_folder.hpp"

namespace koine::pipeline {
namespace {

class EvaluateAnswer : public ::testing::Test {
 protected:
  /// The answer where the command wrote these two; no file `result` where that is null.
  [[nodiscard]] Answer answer(const char* result, const std::string& output,
                              const WantedMetric& wanted = {.name = "wer", .regex = ""}) const {
    std::filesystem::remove(folder_ / "result.json");
    if (result != nullptr) std::ofstream(folder_ / "result.json") << result;
    std::ofstream(folder_ / "stdout.txt") << output;
    return read_answer(folder_ / "result.json", File::open_read(folder_ / "stdout.txt"), wanted);
  }
  /// The message of an answer without a metric.
  [[nodiscard]] std::string refusal(const char* result, const std::string& output = "",
                                    const WantedMetric& wanted = {.name = "wer",
                                                                  .regex = ""}) const {
    const Answer found = answer(result, output, wanted);
    EXPECT_FALSE(found.metric);
    return found.message;
  }

  test::TemporaryFolder folder_;
};

void expect_in(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST_F(EvaluateAnswer, FlattensNumbers) {
  const Answer found = answer(
      R"({"model":"x","languages":{"ca":{"wer":1.5,"n":2},"de":{"wer":NaN}},"wer":3,"ok":true,
          "ci":[1,2],"n":12,"signature":"basic|fleurs@1","bad":-Infinity,"text":"NaN \" Infinity"})",
      "", {.name = "languages.ca.wer", .regex = ""});
  EXPECT_EQ(found.metric, 1.5);
  EXPECT_EQ(found.numbers,
            (std::map<std::string, double>{
                {"languages.ca.wer", 1.5}, {"languages.ca.n", 2}, {"wer", 3}, {"n", 12}}));
  EXPECT_EQ(found.n, 12);
  EXPECT_EQ(found.signature, "basic|fleurs@1");
  EXPECT_EQ(found.message, "");
}

TEST_F(EvaluateAnswer, SignaturesOfAnyShapeCompare) {
  const char* one = R"({"wer":1,"signature":{"b":1,"a":"x"}})";
  const char* other = R"({"signature":{"a":"x","b":1},"wer":1})";
  EXPECT_EQ(answer(one, "").signature, R"({"a":"x","b":1})");
  EXPECT_EQ(answer(one, "").signature, answer(other, "").signature);
  EXPECT_EQ(answer(one, "").numbers.size(), 1U);
  EXPECT_EQ(answer(R"({"wer":1,"signature":null,"n":1.5})", "").signature, "");
  EXPECT_FALSE(answer(R"({"wer":1,"n":1.5})", "").n);
}

TEST_F(EvaluateAnswer, Items) {
  const Answer found = answer(
      R"({"wer":1,"items":[{"id":"a","errors":2,"words":9},{"id":7,"errors":0.5,"x":"y"},3]})", "");
  ASSERT_EQ(found.items.size(), 3U);
  EXPECT_EQ(found.items[0].id, "a");
  EXPECT_EQ(found.items[0].errors, 2);
  EXPECT_EQ(found.items[0].words, 9);
  EXPECT_EQ(found.items[1].id, "7");
  EXPECT_EQ(found.items[1].words, 1);
  EXPECT_EQ(found.items[2].id, "2");
  EXPECT_EQ(found.items[2].errors, 3);
  for (const char* bad : {R"({"wer":1,"items":[1,NaN]})", R"({"wer":1,"items":[{"words":1}]})",
                          R"({"wer":1,"items":{"a":1}})", R"({"wer":1,"items":["a"]})"}) {
    const Answer aside = answer(bad, "");
    EXPECT_EQ(aside.metric, 1);
    EXPECT_TRUE(aside.items.empty());
    EXPECT_EQ(aside.numbers.size(), 1U);
    expect_in(aside.message, "'items' is left aside");
  }
}

TEST_F(EvaluateAnswer, TheFileGoesBeforeStdout) {
  EXPECT_EQ(answer("{\"wer\":1}", "{\"wer\":2}\n").metric, 1);
  EXPECT_EQ(answer("", "{\"wer\":2}\n").metric, 2);
  EXPECT_EQ(answer(" \n", "{\"wer\":2}").metric, 2);
  expect_in(refusal("{\"wer\":", "{\"wer\":2}\n"), "result.json: is not valid JSON");
}

TEST_F(EvaluateAnswer, TheLastJsonLineOfStdout) {
  EXPECT_EQ(answer(nullptr, "{\"wer\":1}\nlog\n  {\"wer\":2} \r\n{'wer': 3}\n[4]\nbye\n").metric,
            2);
  EXPECT_EQ(answer(nullptr, "50%|###   |\r{\"wer\":2}").metric, 2);
  expect_in(refusal(nullptr, "{\"wer\":1}\n{\"wer\": NaN}\n"), "no finite number 'wer'");
  expect_in(refusal(nullptr, "{'wer': 1}\n"), "line of its stdout in braces: is not valid JSON");
  expect_in(refusal(nullptr, "WER 12\n"), "found neither");
}

TEST_F(EvaluateAnswer, RubbishIsRefusedWithAReason) {
  expect_in(refusal(("{\"a\":" + std::string(100'000, '[')).c_str()), "nested deeper");
  expect_in(refusal("{\"wer\":1,\"wer\":2}"), "key 'wer' stands twice");
  expect_in(refusal("{\"a.b\":1,\"a\":{\"b\":2},\"wer\":3}"), "two numbers are called 'a.b'");
  expect_in(refusal("[1]"), "holds a JSON array, expected an object");
  expect_in(refusal("12.5"), "holds a JSON number");
  expect_in(refusal("{\"wer\":1} x"), "is not valid JSON");
  expect_in(refusal("{\"wer\":1e999}"), "is not valid JSON");
  expect_in(refusal("{\"wer\":\"\xff\"}"), "is not valid JSON");
  expect_in(refusal("{\"wr\":1,\"n\":2}"),
            "no finite number 'wer' (did you mean 'wr'?); it holds n, wr");
  expect_in(refusal("{\"wer\":\"12\"}"), "no finite number 'wer', nor any");
  expect_in(refusal(R"({"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"k":1,"l":1})"),
            "h, i, j and 2 more");
  std::filesystem::resize_file(folder_ / "result.json", std::uintmax_t{1} << 33);  // holes
  const Answer huge = read_answer(folder_ / "result.json", File::open_read(folder_ / "stdout.txt"),
                                  {.name = "wer", .regex = ""});
  expect_in(huge.message, "has 8589934592 bytes, at most");
}

TEST_F(EvaluateAnswer, ARegexFindsItsLastMatch) {
  const WantedMetric wanted{.name = "", .regex = "WER: ([0-9.a-z]+)"};
  EXPECT_EQ(answer(nullptr, "WER: 1\nWER: 2 WER: 12.5.\nRTFx: 3\n", wanted).metric, 12.5);
  EXPECT_EQ(answer("{\"x\":1}", "WER: 2", wanted).numbers,
            (std::map<std::string, double>{{"metric", 2}, {"x", 1}}));
  EXPECT_EQ(answer("{\"wer\":1}", "WER: 2", {.name = "wer", .regex = wanted.regex}).metric, 1);
  expect_in(refusal(nullptr, "WER: 1\nWER: nan\n", wanted), "found 'nan' in its stdout");
  expect_in(refusal(nullptr, "WER: 1\nWER: 1e999\n", wanted), "expected a finite number");
  expect_in(refusal(nullptr, "nothing", wanted), "no line of its stdout matches 'WER: (");
  EXPECT_EQ(answer(nullptr, std::string(3 << 20, 'x') + " WER: 4\n", wanted).metric, 4);
}

TEST(MetricRegex, IsCheckedAndBounded) {
  EXPECT_NO_THROW(check_metric_regex("BLEU = ([0-9.]+) .*(x)?"));
  EXPECT_THROW(check_metric_regex("WER: [0-9]"), InputError);
  EXPECT_THROW(check_metric_regex("WER: ("), InputError);
  EXPECT_THROW(check_metric_regex("(" + std::string(300, 'a') + ")"), InputError);
  EXPECT_FALSE(last_match(std::string(100'000, 'a'), "(a*)*b"));  // hangs or crashes where naive
}

TEST(MetricRegex, Numbers) {
  EXPECT_EQ(metric_number("+12.50"), 12.5);
  EXPECT_EQ(metric_number("-1e-3"), -1e-3);
  EXPECT_EQ(metric_number("7."), 7);
  for (const char* bad : {"", "x", "12x", "inf", "nan", "1e999", "1,5", "1 2", "."})
    EXPECT_FALSE(metric_number(bad)) << bad;
}

TEST(OutputLines, AreCleanAndShort) {
  EXPECT_EQ(last_line("a\n b\tc \n \r\n\n"), "b c");
  EXPECT_EQ(last_line(""), "");
  EXPECT_EQ(last_line("\xc3\xa9\x1b[0m"), "\xc3\xa9 [0m");
  EXPECT_EQ(last_line("\xc3(\x01"), "?( ");
  EXPECT_EQ(one_line("a\n\xc3\xa9", 3), "a ...");
  EXPECT_EQ(one_line("a\nb", 3), "a b");
}

}  // namespace
}  // namespace koine::pipeline
