#include "pipeline/run_report.hpp"

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
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

ReportWriter::ReportWriter(const FinishedRun& run)
    : run_(run),
      names_(run.inputs.expert_names()),
      page_(names_),
      file_(run.folder.path / "report.json") {
  serial_.experts.resize(names_.size());
  file_.append(head(run, names_));
}

void ReportWriter::add(std::size_t tensor, RunRecords& records) {
  const PlannedTensor& planned = run_.plan.tensors[tensor];
  const std::string& shard = run_.plan.shards[records.shard_of(tensor)].name;
  const stats::TensorRow& row = records.tensor(tensor).row;
  stats::add(row, serial_);
  if (planned.treatment == Treatment::pruned) page_.add(shard, row);
  file_.append((tensor == 0 ? "\n    " : ",\n    ") +
               to_piece(tensor_json(run_, planned, shard, row), 2));
}

void ReportWriter::publish() {
  file_.append(run_.plan.tensors.empty() ? "]\n}\n" : "\n  ]\n}\n");
  require_same(run_.totals, serial_, names_);
  file_.publish();
  write_file_atomically(
      run_.folder.path / "report.html",
      page_.html(run_.recipe.merge_method, run_.plan.tensors.size(), run_.totals));
}

}  // namespace koine::pipeline
