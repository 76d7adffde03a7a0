#include "pipeline/run_report.hpp"

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/text_file.hpp"
#include "report/merge_html.hpp"
#include "stats/rows_json.hpp"

namespace koine::pipeline {
namespace {

std::string_view word(Treatment treatment) {
  switch (treatment) {
    case Treatment::copied:
      return "copied";
    case Treatment::base:
      return "base";
    case Treatment::dense:
      return "dense";
    case Treatment::pruned:
      return "pruned";
    default:
      return "averaged";
  }
}

Json tensor_json(const FinishedRun& run, const PlannedTensor& planned, const std::string& shard,
                 const stats::TensorRow& row) {
  const auto& base = run.inputs.base.tensors[planned.index];
  Json json{{"name", base.name},
            {"canonical", base.canonical},
            {"shard", shard},
            {"shape", base.shape},
            {"dtype", recipe_name(planned.out_dtype)},
            {"treatment", word(planned.treatment)}};
  json.update(stats::to_json(row));
  return json;
}

/// report.json up to the first tensor.
std::string head(const FinishedRun& run, const std::vector<std::string>& names) {
  const Json json{{"schema", "koine-report-1"},
                  {"merge_method", run.recipe.merge_method},
                  {"experts", names},
                  {"totals", stats::to_json(run.totals, names)}};
  std::string text = json.dump(2);
  text.resize(text.size() - 2);  // "\n}"
  return text + ",\n  \"tensors\": [";
}

void require_same(const stats::Totals& summed, const stats::Totals& serial,
                  const std::vector<std::string>& names) {
  if (stats::to_json(summed, names).dump() == stats::to_json(serial, names).dump()) return;
  throw VerifyError(
      "the figures summed over the processes differ from those in the journal; run the same "
      "command with --fresh and report it");
}

}  // namespace

void write_reports(const FinishedRun& run, RunRecords& records) {
  const auto names = run.inputs.expert_names();
  report::MergePage page(names);
  stats::Totals serial;
  serial.experts.resize(names.size());
  TextFile file(run.folder.path / "report.json");
  file.append(head(run, names));
  for (std::size_t i = 0; i < run.plan.tensors.size(); ++i) {
    const PlannedTensor& planned = run.plan.tensors[i];
    const stats::TensorRow& row = records.tensor(i).row;
    const std::string& shard = records.shard_of(i).name;
    stats::add(row, serial);
    if (planned.treatment == Treatment::pruned) page.add(shard, row);
    file.append((i == 0 ? "\n    " : ",\n    ") +
                to_piece(tensor_json(run, planned, shard, row), 2));
  }
  file.append(run.plan.tensors.empty() ? "]\n}\n" : "\n  ]\n}\n");
  require_same(run.totals, serial, names);
  file.publish();
  write_file_atomically(run.folder.path / "report.html",
                        page.html(run.recipe.merge_method, run.plan.tensors.size(), run.totals));
}

}  // namespace koine::pipeline
