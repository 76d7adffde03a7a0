#include "pipeline/model_budget.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/json.hpp"
#include "core/rules.hpp"
#include "pipeline/tensor_reader.hpp"
#include "stats/rows_json.hpp"

namespace koine::pipeline {
namespace {

namespace fs = std::filesystem;
constexpr std::int64_t kLargest = std::int64_t{1} << 30;
constexpr std::size_t kHash = 64;

fs::path path_of(const fs::path& run) {
  return run / ".koine" / "thresholds.json";
}

/// What the thresholds hold for; the arithmetic apart.
std::string merge_of(const Identity& identity) {
  return sha256_of(identity.recipe + "\n" + identity.inputs);
}

Json to_json(const sparse::Threshold& threshold) {
  return Json::array({threshold.key, threshold.ties, threshold.kept});
}

sparse::Threshold threshold_from(const Json& json) {
  return {.key = json.at(0), .ties = json.at(1), .kept = json.at(2)};
}

/// A row's threshold; a matrix that was merged densely (--allow-nonfinite) has no share.
sparse::Threshold threshold_of(const stats::ExpertRow& row) {
  if (!row.ties) return {};
  return {.key = rules::magnitude_key(static_cast<float>(row.threshold)),
          .ties = *row.ties,
          .kept = row.kept};
}

ModelBudget parse(const Json& json, const Plan& plan) {
  ModelBudget budget{std::vector<MatrixBudget>(plan.tensors.size())};
  for (const Json& row : json.at("matrices")) {
    MatrixBudget& matrix = budget.matrices.at(row.at("tensor").get<std::size_t>());
    matrix.inputs = row.at("inputs").get<std::vector<std::string>>();
    for (const Json& threshold : row.at("thresholds"))
      matrix.thresholds.push_back(threshold_from(threshold));
  }
  return budget;
}

bool is_whole(const ModelBudget& budget, const Plan& plan) {
  for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
    if (plan.tensors[i].treatment != Treatment::pruned) continue;
    const MatrixBudget& matrix = budget.matrices[i];
    const std::size_t experts = plan.tensors[i].parts.size();
    if (matrix.thresholds.size() != experts || matrix.inputs.size() != experts + 1) return false;
  }
  return true;
}

}  // namespace

bool ModelBudget::agrees(const store::ShardRecord& record, const PlannedShard& shard) const {
  for (std::size_t i = 0; i < shard.tensors.size(); ++i) {
    const MatrixBudget& matrix = matrices[shard.tensors[i]];
    for (std::size_t t = 0; t < matrix.thresholds.size(); ++t) {
      const stats::ExpertRow& row = record.tensors[i].row.experts.at(t);
      if (row.method != "dense" && threshold_of(row) != matrix.thresholds[t]) return false;
    }
  }
  return true;
}

sparse::Threshold threshold_of(const ModelBudget& budget, const PlannedTensor& planned,
                               const TensorReader& reader, std::size_t expert) {
  const MatrixBudget& matrix = budget.matrices[planned.index];
  if (!matrix.inputs.empty()) {
    reader.require_unchanged(0, matrix.inputs[0]);
    reader.require_unchanged(expert + 1, matrix.inputs[expert + 1]);
  }
  return matrix.thresholds[expert];
}

std::string budget_text(const ModelBudget& budget, const Identity& identity) {
  Json rows = Json::array();
  for (std::size_t i = 0; i < budget.matrices.size(); ++i) {
    const MatrixBudget& matrix = budget.matrices[i];
    if (matrix.thresholds.empty()) continue;
    Json thresholds = Json::array();
    for (const auto& threshold : matrix.thresholds) thresholds.push_back(to_json(threshold));
    rows.push_back({{"tensor", i}, {"inputs", matrix.inputs}, {"thresholds", thresholds}});
  }
  const std::string body = Json{
      {"merge", merge_of(identity)},
      {"arithmetic", identity.arithmetic},
      {"matrices", rows}}.dump();
  return sha256_of(body) + "\n" + body + "\n";
}

std::optional<ModelBudget> budget_from(const std::string& text, const Plan& plan,
                                       const Identity& identity, ByArithmetic which) {
  if (text.size() < kHash + 2 || text[kHash] != '\n') return std::nullopt;
  const std::string body = text.substr(kHash + 1, text.size() - kHash - 2);
  if (sha256_of(body) != text.substr(0, kHash)) return std::nullopt;
  try {
    const Json json = Json::parse(body);
    if (json.at("merge") != merge_of(identity)) return std::nullopt;
    const bool is_own = json.at("arithmetic") == identity.arithmetic;
    if (which == ByArithmetic::own && !is_own) return std::nullopt;
    ModelBudget budget = parse(json, plan);
    return is_whole(budget, plan) ? std::optional(std::move(budget)) : std::nullopt;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

void write_budget(const fs::path& run, const std::string& text) {
  write_file_atomically(path_of(run), text);
}

std::string read_budget(const fs::path& run) {
  std::error_code none;
  return fs::exists(path_of(run), none) ? read_text_file(path_of(run), kLargest) : std::string();
}

Json report_of(const fs::path& run, const store::Manifest& manifest) {
  const std::string text = read_text_file(run / "report.json", kLargest);
  const auto listed = std::ranges::find(manifest.files, "report.json", &store::ManifestFile::path);
  if (listed == manifest.files.end() || sha256_of(text) != listed->sha256) {
    throw VerifyError(fmt::format(
        "{}/report.json: is not as the manifest says, and it holds what is needed; run the same "
        "`koine merge` again",
        run.string()));
  }
  return Json::parse(text);
}

ModelBudget budget_of_report(const Json& report, const Plan& plan) {
  ModelBudget budget{std::vector<MatrixBudget>(plan.tensors.size())};
  for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
    if (plan.tensors[i].treatment != Treatment::pruned) continue;
    for (const auto& row : stats::tensor_row_from(report.at("tensors").at(i)).experts)
      budget.matrices[i].thresholds.push_back(threshold_of(row));
  }
  return budget;
}

}  // namespace koine::pipeline
