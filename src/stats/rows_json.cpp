#include "stats/rows_json.hpp"

namespace koine::stats {
namespace {

Json model_json(const ModelRow& row) {
  return {{"base_dot_delta", row.base_dot_delta}, {"delta_squared", row.delta_squared},
          {"signs_total", row.signs_total},       {"signs_agree", row.signs_agree},
          {"overflows", row.overflows},           {"nonfinite", row.nonfinite}};
}

Json sums_json(const ExpertRow& row) {
  return {{"tau_squared", row.tau_squared},
          {"low_squared", row.low_squared},
          {"merged_squared", row.merged_squared},
          {"energy", row.energy},
          {"kept", row.kept}};
}

Json expert_json(const ExpertRow& row) {
  Json json = sums_json(row);
  json["method"] = row.method;
  if (row.method == "dense" || row.method == "base") return json;
  json["low_rank"] = row.low_rank;
  json["threshold"] = row.threshold;
  if (row.ties) json["ties"] = *row.ties;
  json["sigma_first"] = row.sigma_first;
  json["sigma_last"] = row.sigma_last;
  json["gap"] = row.gap;
  json["residual"] = row.residual;
  json["certified"] = row.is_certified;
  json["certificate"] = row.certificate;
  json["iterations"] = row.iterations;
  json["fallbacks"] = row.fallbacks;
  return json;
}

ExpertRow expert_from(const Json& json) {
  ExpertRow row;
  row.tau_squared = json.at("tau_squared");
  row.low_squared = json.at("low_squared");
  row.merged_squared = json.at("merged_squared");
  row.energy = json.at("energy");
  row.kept = json.at("kept");
  row.method = json.at("method");
  if (!json.contains("low_rank")) return row;
  row.low_rank = json.at("low_rank");
  row.threshold = json.at("threshold");
  if (json.contains("ties")) row.ties = json.at("ties").get<std::int64_t>();
  row.sigma_first = json.at("sigma_first");
  row.sigma_last = json.at("sigma_last");
  row.gap = json.at("gap");
  row.residual = json.at("residual");
  row.is_certified = json.at("certified");
  row.certificate = json.at("certificate");
  row.iterations = json.at("iterations");
  row.fallbacks = json.at("fallbacks");
  return row;
}

}  // namespace

Json to_json(const TensorRow& row) {
  Json experts = Json::array();
  for (const ExpertRow& expert : row.experts) experts.push_back(expert_json(expert));
  return {{"model", model_json(row.model)}, {"experts", experts}};
}

TensorRow tensor_row_from(const Json& json) {
  TensorRow row;
  const Json& model = json.at("model");
  row.model = {model.at("base_dot_delta"), model.at("delta_squared"), model.at("signs_total"),
               model.at("signs_agree"),    model.at("overflows"),     model.at("nonfinite")};
  for (const Json& expert : json.at("experts")) row.experts.push_back(expert_from(expert));
  return row;
}

Json to_json(const Totals& totals, const std::vector<std::string>& expert_names) {
  Json experts = Json::array();
  for (std::size_t t = 0; t < totals.experts.size(); ++t) {
    Json json{{"name", expert_names[t]}};
    json.update(sums_json(totals.experts[t]));
    experts.push_back(json);
  }
  return {{"model", model_json(totals.model)}, {"experts", experts}};
}

}  // namespace koine::stats
