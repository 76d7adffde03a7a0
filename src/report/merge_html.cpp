#include "report/merge_html.hpp"

#include <cmath>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "core/text.hpp"

namespace koine::report {
namespace {

constexpr const char* kHead =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>Koine "
    "merge</title>\n<style>\n"
    ":root{color-scheme:light dark;font:16px/1.5 "
    "system-ui,sans-serif}body{max-width:60rem;margin:2rem auto;padding:0 1rem}\n"
    "table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}th,td{padding:."
    "25rem .6rem;text-align:right;"
    "border-bottom:1px solid #8884}th:first-child,td:first-child{text-align:left}\n"
    ".bar{display:inline-block;height:.7em;background:#3b82f6}.scroll{overflow-x:auto}@media "
    "print{body{margin:0}}\n"
    "</style></head><body>\n";

std::string escape(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

double share(double part, double whole) {
  return whole > 0 ? part / whole : 0;
}

/// Sums over the pruned matrices of one shard (or of the model).
struct Kept {
  double tau = 0, low = 0, merged = 0;
};

std::string expert_table(const Json& report) {
  std::map<std::string, Kept> pruned;
  for (const Json& tensor : report.at("tensors")) {
    if (tensor.at("treatment") != "pruned") continue;
    for (std::size_t t = 0; t < tensor.at("experts").size(); ++t) {
      const Json& row = tensor.at("experts")[t];
      Kept& kept = pruned[report.at("experts")[t].get<std::string>()];
      kept.tau += row.at("tau_squared").get<double>();
      kept.low += row.at("energy").get<double>();
      kept.merged += row.at("merged_squared").get<double>();
    }
  }
  std::string html =
      "<h2>Experts</h2><div class=\"scroll\"><table><tr><th>expert</th><th>|τ|</th><th>energy in "
      "the low-rank part</th>"
      "<th>energy kept</th><th>entries kept</th></tr>\n";
  for (const Json& row : report.at("totals").at("experts")) {
    const Kept& kept = pruned[row.at("name").get<std::string>()];
    html += fmt::format(
        "<tr><td>{}</td><td>{:.4g}</td><td>{:.1f} %</td><td>{:.1f} %</td><td>{}</td></tr>\n",
        escape(row.at("name")), std::sqrt(row.at("tau_squared").get<double>()),
        100 * share(kept.low, kept.tau), 100 * share(kept.merged, kept.tau),
        human_count(row.at("kept").get<std::int64_t>()));
  }
  return html + "</table></div>\n";
}

std::string shard_table(const Json& report) {
  std::vector<std::string> order;
  std::map<std::string, Kept> shards;
  for (const Json& tensor : report.at("tensors")) {
    if (tensor.at("treatment") != "pruned") continue;
    const std::string shard = tensor.at("shard");
    if (!shards.contains(shard)) order.push_back(shard);
    for (const Json& row : tensor.at("experts")) {
      shards[shard].tau += row.at("tau_squared").get<double>();
      shards[shard].merged += row.at("merged_squared").get<double>();
    }
  }
  if (order.empty()) return "<p>Every tensor was merged densely.</p>\n";
  std::string html =
      "<h2>Layers</h2><div class=\"scroll\"><table><tr><th>shard</th><th>|τ| of its matrices, all "
      "experts</th><th>energy kept</th><th></th></tr>\n";
  for (const std::string& shard : order) {
    const Kept& kept = shards[shard];
    const double percent = 100 * share(kept.merged, kept.tau);
    html += fmt::format(
        "<tr><td>{}</td><td>{:.4g}</td><td>{:.1f} %</td><td><span class=\"bar\" "
        "style=\"width:{:.0f}px\"></span></td></tr>\n",
        escape(shard), std::sqrt(kept.tau), percent, percent);
  }
  return html + "</table></div>\n";
}

}  // namespace

std::string merge_html(const Json& report) {
  const Json& model = report.at("totals").at("model");
  const auto total = model.at("signs_total").get<double>();
  return fmt::format(
      "{}<h1>Koine merge: {}</h1>\n<p>{} tensors of {} experts. |D| = {:.4g}; signs agree on "
      "{:.1f} % of the entries that two or "
      "more experts change.</p>\n{}{}<p>Figures: report.json. Files: "
      "manifest.json.</p></body></html>\n",
      kHead, escape(report.at("merge_method")), report.at("tensors").size(),
      report.at("experts").size(), std::sqrt(model.at("delta_squared").get<double>()),
      100 * share(model.at("signs_agree").get<double>(), total), expert_table(report),
      shard_table(report));
}

}  // namespace koine::report
