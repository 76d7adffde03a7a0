#include "pipeline/run_report.hpp"

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
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

}  // namespace

void write_reports(const FinishedRun& run, const std::vector<store::ShardRecord>& records) {
  const auto names = run.inputs.expert_names();
  stats::Slots serial(run.plan.tensors.size(), names.size());
  std::vector<Json> rows(run.plan.tensors.size());
  for (std::size_t s = 0; s < records.size(); ++s) {
    const PlannedShard& shard = run.plan.shards[s];
    for (std::size_t i = 0; i < shard.tensors.size(); ++i) {
      const std::size_t at = shard.tensors[i];
      serial.fill(at, records[s].tensors[i].row);
      rows[at] = tensor_json(run, run.plan.tensors[at], shard.name, records[s].tensors[i].row);
    }
  }
  const Json totals = stats::to_json(run.totals, names);
  if (totals.dump() != stats::to_json(serial.totals(), names).dump()) {
    throw VerifyError(
        "the figures summed over the processes differ from those in the journal; run the same "
        "command with --fresh "
        "and report it");
  }
  const Json report{{"schema", "koine-report-1"},
                    {"merge_method", run.recipe.merge_method},
                    {"experts", names},
                    {"totals", totals},
                    {"tensors", rows}};
  write_file_atomically(run.folder.path / "report.json", to_text(report));
  write_file_atomically(run.folder.path / "report.html", report::merge_html(report));
}

}  // namespace koine::pipeline
