#include "report/sweep_answer.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "report/html.hpp"

namespace koine::report {
namespace {

constexpr std::size_t kMostMessages = 3;

std::string shown(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return "–";
  return value.is_number_float() ? fmt::format("{:.6g}", value.get<double>())
                                 : value.dump(-1, ' ', true, Json::error_handler_t::replace);
}

/// A number by name inside `metrics` of a point or baseline.
std::optional<double> metric_in(const Json& item, const std::string& name) {
  const auto metrics = item.find("metrics");
  if (metrics == item.end() || !metrics->is_object()) return std::nullopt;
  const auto found = metrics->find(name);
  if (found == metrics->end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

const Json* point_of(const Json& results, const Json& number) {
  for (const Json& point : results.at("points"))
    if (point.at("point") == number) return &point;
  return nullptr;
}

std::int64_t count(const Json& results, std::string_view status) {
  std::int64_t n = 0;
  for (const Json& point : results.at("points")) n += text_in(point, "status") == status ? 1 : 0;
  return n;
}

/// A word of a command line for sh.
std::string shell_word(const std::string& text) {
  constexpr const char* kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./#-";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string command(const std::string& why, const std::string& line) {
  return fmt::format("<p class=\"command\"><span>{}</span><code>{}</code></p>\n", why,
                     escape_html(line));
}

/// "54 % lower than base (0.31)", "12 % lower than the best expert, ca (0.2)".
std::string against(const Json& baseline, const std::string& metric, double value) {
  const std::optional<double> other = metric_in(baseline, metric);
  if (!other || *other == 0) return "";
  const std::string name = (text_in(baseline, "kind") == "expert" ? "the best expert, " : "") +
                           escape_html(text_in(baseline, "name"));
  const double share = (value - *other) / std::abs(*other);
  return fmt::format("<li>{:.3g} % {} than {} ({:.4g})</li>", 100 * std::abs(share),
                     share < 0 ? "lower" : "higher", name, *other);
}

/// Of base or experts the one with the best figure; null where none has one.
const Json* best_baseline(const Json& results, std::string_view kind, const std::string& metric) {
  const Json* best = nullptr;
  double least = 0;
  const double sign = text_in(results, "goal") == "max" ? -1 : 1;
  for (const Json& baseline : results.at("baselines")) {
    const std::optional<double> own = metric_in(baseline, metric);
    if (!own || text_in(baseline, "kind") != kind || (best && sign * *own >= least)) continue;
    best = &baseline;
    least = sign * *own;
  }
  return best;
}

std::string comparison(const Json& results, const std::string& metric, double value) {
  std::string items;
  for (const char* kind : {"base", "expert"})
    if (const Json* baseline = best_baseline(results, kind, metric))
      items += against(*baseline, metric, value);
  return items.empty() ? "" : "<ul class=\"facts\">" + items + "</ul>\n";
}

std::string best_part(const Json& results, const Json& best) {
  const std::string metric = text_in(results, "metric");
  const std::optional<double> value = metric_in(best, metric);
  std::string html = fmt::format("<h1>Best: point {}", best.at("point").dump());
  if (value) html += fmt::format(", {} {:.4g}", escape_html(metric), *value);
  html += "</h1>\n<ul class=\"facts settings\">";
  for (const auto& [name, setting] : best.at("settings").items())
    html += fmt::format("<li>{} <b>{}</b></li>", escape_html(name), escape_html(shown(setting)));
  html += "</ul>\n";
  if (value) html += comparison(results, metric, *value);
  const std::string folder = text_in(results, "output");
  return html +
         command("next:",
                 "koine merge " + shell_word(folder.empty() ? "best.yaml" : folder + "/best.yaml"));
}

std::string no_best_part(const Json& results) {
  if (results.at("points").empty()) return "<h1>This sweep has no points</h1>\n";
  if (text_in(results, "metric").empty())
    return "<h1>Statistics of every point</h1>\n<p>Nothing measured the merged models, so no point "
           "is the best: give the sweep an <code>evaluate:</code> section.</p>\n";
  return count(results, "pending") > 0 ? "<h1>No point has a result yet</h1>\n"
                                       : "<h1>No point gave a result</h1>\n";
}

std::string counts(const Json& results) {
  std::int64_t distinct = 0;
  for (const Json& point : results.at("points"))
    distinct += point.value("same_as", Json()).is_null() ? 1 : 0;
  std::string html = fmt::format("<ul class=\"facts\"><li>{} point{}</li><li>{} distinct</li>",
                                 results.at("points").size(),
                                 results.at("points").size() == 1 ? "" : "s", distinct);
  for (const char* status : {"failed", "timed out", "pending"}) {
    const std::int64_t n = count(results, status);
    const bool is_bad = n > 0 && std::string_view(status) != "pending";
    if (n > 0 || std::string_view(status) == "failed")
      html += fmt::format("<li{}>{} {}</li>", is_bad ? " class=\"bad\"" : "", n, status);
  }
  return html + "</ul>\n";
}

/// What failed points said, each message once with how often it came.
std::string messages(const Json& results) {
  std::vector<std::pair<std::string, int>> seen;
  for (const Json& point : results.at("points")) {
    const std::string status = text_in(point, "status"), said = text_in(point, "message");
    if (status != "failed" && status != "timed out") continue;
    const std::string text = said.empty() ? status : said;
    std::size_t i = 0;
    while (i < seen.size() && seen[i].first != text) ++i;
    if (i == seen.size()) seen.emplace_back(text, 0);
    ++seen[i].second;
  }
  if (seen.empty()) return "";
  std::string html = "<ul class=\"note bad\">";
  for (std::size_t i = 0; i < std::min(seen.size(), kMostMessages); ++i)
    html += fmt::format("<li>{} × {}</li>", seen[i].second, escape_html(seen[i].first));
  if (seen.size() > kMostMessages)
    html +=
        fmt::format("<li>and {} other messages: see the table</li>", seen.size() - kMostMessages);
  return html + "</ul>\n";
}

/// How to go on with points that have no result.
std::string rest(const Json& results) {
  const std::string again = "koine sweep " + shell_word(text_in(results, "sweep"));
  std::string html;
  if (count(results, "pending") > 0) html += command("to go on:", again);
  if (count(results, "failed") + count(results, "timed out") > 0)
    html += command("failed ones again:", again + " --only failed");
  return html;
}

}  // namespace

std::string text_in(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string sweep_answer(const Json& results) {
  const Json* best = point_of(results, results.value("best", Json()));
  std::string html =
      fmt::format("<header class=\"answer\">\n<p class=\"kicker\">Koine sweep {}, recipe {}</p>\n",
                  escape_html(text_in(results, "sweep")), escape_html(text_in(results, "recipe")));
  html += best ? best_part(results, *best) : no_best_part(results);
  return html + counts(results) + messages(results) + rest(results) + "</header>\n";
}

}  // namespace koine::report
