#include "report/merge_html.hpp"

#include <cmath>

#include <fmt/format.h>

#include "core/text.hpp"
#include "report/html.hpp"

namespace koine::report {
namespace {

double share(double part, double whole) {
  return whole > 0 ? part / whole : 0;
}

}  // namespace

void MergePage::add(const std::string& shard, const stats::TensorRow& row) {
  const auto [at, is_new] = shards_.try_emplace(shard);
  if (is_new) order_.push_back(shard);
  for (std::size_t t = 0; t < row.experts.size(); ++t) {
    const stats::ExpertRow& part = row.experts[t];
    Kept& kept = experts_[names_.at(t)];
    kept.tau += part.tau_squared;
    kept.low += part.energy;
    kept.merged += part.merged_squared;
    at->second.tau += part.tau_squared;
    at->second.merged += part.merged_squared;
  }
}

std::string MergePage::expert_table(const stats::Totals& totals) const {
  std::string html =
      "<h2>Experts</h2><div class=\"scroll\"><table><tr><th>expert</th><th>|τ|</th><th>energy in "
      "the low-rank part</th>"
      "<th>energy kept</th><th>entries kept</th></tr>\n";
  for (std::size_t t = 0; t < names_.size(); ++t) {
    const auto found = experts_.find(names_[t]);
    const Kept kept = found == experts_.end() ? Kept{} : found->second;
    html += fmt::format(
        "<tr><td>{}</td><td>{:.4g}</td><td>{:.1f} %</td><td>{:.1f} %</td><td>{}</td></tr>\n",
        escape_html(names_[t]), std::sqrt(totals.experts[t].tau_squared),
        100 * share(kept.low, kept.tau), 100 * share(kept.merged, kept.tau),
        human_count(totals.experts[t].kept));
  }
  return html + "</table></div>\n";
}

std::string MergePage::shard_table() const {
  if (order_.empty()) return "<p>Every tensor was merged densely.</p>\n";
  std::string html =
      "<h2>Layers</h2><div class=\"scroll\"><table><tr><th>shard</th><th>|τ| of its matrices, all "
      "experts</th><th>energy kept</th><th></th></tr>\n";
  for (const std::string& shard : order_) {
    const Kept& kept = shards_.at(shard);
    const double percent = 100 * share(kept.merged, kept.tau);
    html += fmt::format(
        "<tr><td>{}</td><td>{:.4g}</td><td>{:.1f} %</td><td><span class=\"bar\" "
        "style=\"width:{:.0f}px\"></span></td></tr>\n",
        escape_html(shard), std::sqrt(kept.tau), percent, percent);
  }
  return html + "</table></div>\n";
}

std::string MergePage::html(const std::string& method, std::size_t tensors,
                            const stats::Totals& totals) const {
  const stats::ModelRow& model = totals.model;
  return fmt::format(
      "{}<h1>Koine merge: {}</h1>\n<p>{} tensors of {} experts. |D| = {:.4g}; signs agree on "
      "{:.1f} % of the entries that two or "
      "more experts change.</p>\n{}{}<p>Figures: report.json. Files: "
      "manifest.json.</p></body></html>\n",
      page_head("Koine merge"), escape_html(method), tensors, names_.size(),
      std::sqrt(model.delta_squared),
      100 * share(static_cast<double>(model.signs_agree), static_cast<double>(model.signs_total)),
      expert_table(totals), shard_table());
}

}  // namespace koine::report
