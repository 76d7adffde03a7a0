#include "report/sweep_html.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

#include <gtest/gtest.h>

#include "support/temporary_folder.hpp"

namespace koine::report {
namespace {

using test::TemporaryFolder;

Json point(int number, int kept, double lambda) {
  return {{"point", number},
          {"id", "3fa90c11d2ab"},
          {"same_as", nullptr},
          {"settings", {{"rank", kept}, {"lambda", lambda}}},
          {"status", "done"},
          {"message", ""},
          {"metrics", {{"wer", 0.3 - 0.01 * kept + lambda}}},
          {"statistics", {{"kept_share", 0.1 * kept}}},
          {"recipe", "merge_method: lors\n"}};
}

Json sweep(std::initializer_list<Json> points) {
  return {{"schema", "koine-sweep-1"},
          {"version", "0.1.0"},
          {"sweep", "my sweep.yaml"},
          {"recipe", "lors.yaml"},
          {"goal", "min"},
          {"metric", "wer"},
          {"columns", {"rank", "lambda"}},
          {"metrics", {"wer"}},
          {"statistics", {"kept_share"}},
          {"best", nullptr},
          {"baselines", Json::array()},
          {"points", Json(points)}};
}

Json sample() {
  Json results = sweep({point(0, 1, 0.1), point(1, 7, 0.1), point(2, 1, 0.2), point(37, 7, 0.2)});
  results["best"] = 1;
  results["baselines"] = {{{"kind", "base"}, {"name", "base"}, {"metrics", {{"wer", 0.66}}}},
                          {{"kind", "expert"}, {"name", "ca"}, {"metrics", {{"wer", 0.5}}}},
                          {{"kind", "expert"}, {"name", "de"}, {"metrics", {{"wer", 0.4}}}}};
  return results;
}

/// The data inside a page, read back as a browser would.
Json data_of(const std::string& page) {
  const std::string mark = "id=\"results\">";
  const std::size_t from = page.find(mark) + mark.size();
  return Json::parse(page.substr(from, page.find("</script>", from) - from));
}

bool has(const std::string& page, const std::string& part) {
  return page.find(part) != std::string::npos;
}

TEST(SweepHtml, AnswersFirst) {
  const std::string page = sweep_html(sample());
  EXPECT_TRUE(has(page, "<h1>Best: point 1, wer 0.33</h1>"));
  EXPECT_TRUE(has(page, "<li>rank <b>7</b></li><li>lambda <b>0.1</b></li>"));
  EXPECT_TRUE(has(
      page,
      "<li>50 % lower than base (0.66)</li><li>17.5 % lower than the best expert, de (0.4)</li>"));
  EXPECT_TRUE(has(page, "<code>koine merge best.yaml</code>"));
  EXPECT_TRUE(has(page, "<li>4 points</li><li>4 distinct</li><li>0 failed</li>"));
  EXPECT_FALSE(has(page, "--only failed"));
}

TEST(SweepHtml, GoalMaxTurnsTheBestExpert) {
  Json results = sample();
  results["goal"] = "max";
  EXPECT_TRUE(has(sweep_html(results), "than the best expert, ca (0.5)"));
}

TEST(SweepHtml, CommandsNameTheFolderWhereItIsKnown) {
  Json results = sample();
  results["output"] = "runs/it's";
  EXPECT_TRUE(has(sweep_html(results), "<code>koine merge 'runs/it'\\''s/best.yaml'</code>"));
}

TEST(SweepHtml, LoadsNothing) {
  const std::string page = sweep_html(sample());
  const std::regex load(
      R"re(\b(src|href|srcset|action)=["']|url\(|@import|import\s|fetch\(|XMLHttp|https?:)re");
  std::smatch found;
  std::string text = std::regex_replace(page, std::regex(R"(http://www\.w3\.org/2000/svg)"), "");
  EXPECT_FALSE(std::regex_search(text, found, load)) << found.str();
  EXPECT_TRUE(has(page, "default-src 'none'"));
}

TEST(SweepHtml, HostileTextStaysText) {
  const std::string evil = "</script><script>alert(1)</script><!--\xE2\x80\xA8 <img onerror=x>\"'&";
  Json results = sample();
  results["sweep"] = results["recipe"] = evil;
  results["columns"] = results["metrics"] = {evil};
  results["metric"] = evil;
  results["baselines"][0]["name"] = evil;
  results["points"][1]["settings"] = {{evil, evil}};
  results["points"][1]["metrics"] = {{evil, 0.5}};
  results["points"][0]["status"] = "failed";
  results["points"][0]["message"] = results["points"][0]["recipe"] = evil;
  const std::string page = sweep_html(results);
  EXPECT_FALSE(has(page, "<script>alert"));
  EXPECT_FALSE(has(page, "<img"));
  EXPECT_FALSE(has(page, "<!--"));
  EXPECT_EQ(data_of(page), results);
  EXPECT_TRUE(data_of(page).dump(-1, ' ', false) == results.dump());
}

TEST(SweepHtml, BytesThatAreNoTextDoNotStopIt) {
  Json results = sample();
  results["points"][0]["message"] = "\xFF\xFE";
  results["points"][1]["settings"]["rank"] = {"\xFF"};
  EXPECT_EQ(data_of(sweep_html(results))["points"][0]["message"], "\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(SweepHtml, EveryPointIsInThePage) {
  Json results = sweep({});
  for (int i = 0; i < 2000; ++i) results["points"].push_back(point(i, i % 64, 0.001 * i));
  const Json data = data_of(sweep_html(results));
  ASSERT_EQ(data["points"].size(), 2000u);
  for (int i = 0; i < 2000; ++i) EXPECT_EQ(data["points"][static_cast<std::size_t>(i)]["point"], i);
}

TEST(SweepHtml, FailuresAreCountedAndNamed) {
  Json results = sample();
  for (const int i : {0, 2}) {
    results["points"][i]["status"] = "failed";
    results["points"][i]["message"] = "exit code 1";
  }
  results["points"][3]["status"] = "pending";
  const std::string page = sweep_html(results);
  EXPECT_TRUE(has(page, "<li class=\"bad\">2 failed</li><li>1 pending</li>"));
  EXPECT_TRUE(has(page, "<li>2 × exit code 1</li>"));
  EXPECT_TRUE(has(page, "<code>koine sweep 'my sweep.yaml' --only failed</code>"));
}

TEST(SweepHtml, WithoutAnAnswerItSaysWhy) {
  EXPECT_TRUE(has(sweep_html(sweep({})), "<h1>This sweep has no points</h1>"));
  Json results = sweep({point(0, 1, 0.1)});
  results["points"][0]["status"] = "pending";
  EXPECT_TRUE(has(sweep_html(results), "<h1>No point has a result yet</h1>"));
  results["points"][0]["status"] = "failed";
  EXPECT_TRUE(has(sweep_html(results), "<h1>No point gave a result</h1>"));
  results["metric"] = results["goal"] = nullptr;
  EXPECT_TRUE(has(sweep_html(results), "<h1>Statistics of every point</h1>"));
}

/// Also the tool of tests/cli/sweep_page_test.py: KOINE_RESULTS is read, KOINE_PAGE written.
TEST(SweepHtml, PageFromAFile) {
  const TemporaryFolder folder;
  const char* from = std::getenv("KOINE_RESULTS");
  const char* to = std::getenv("KOINE_PAGE");
  const std::filesystem::path results = from ? from : folder / "results.json";
  const std::filesystem::path page = to ? to : folder / "report.html";
  if (!from) std::ofstream(results) << to_text(sample());
  std::ofstream(page) << sweep_html(Json::parse(std::ifstream(results)));
  std::ifstream written(page);
  const std::string text(std::istreambuf_iterator<char>(written), {});
  EXPECT_TRUE(text.starts_with("<!doctype html>") && text.ends_with("</html>\n"));
}

}  // namespace
}  // namespace koine::report
