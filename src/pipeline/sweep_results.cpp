#include "pipeline/sweep_results.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "core/file.hpp"
#include "pipeline/sweep_evaluation.hpp"
#include "report/sweep_html.hpp"

namespace koine::pipeline {
namespace {

/// The order of the columns of results.csv.
const std::vector<std::string> kStatistics{"kept_share", "energy_kept", "drift", "sign_conflicts"};

const Json& member(const Json& object, const char* key) {
  static const Json kNothing;
  if (!object.is_object()) return kNothing;
  const auto found = object.find(key);
  return found == object.end() ? kNothing : *found;
}

/// The number that all of the text is.
template <typename T>
std::optional<T> all_of(const std::string& text) {
  T number{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_all = code == std::errc() && end == text.data() + text.size();
  return is_all ? std::optional(number) : std::nullopt;
}

/// A setting as a number where it is a finite one, else as text.
Json value_of(const std::string& text) {
  if (const auto whole = all_of<std::int64_t>(text)) return *whole;
  if (const auto whole = all_of<std::uint64_t>(text)) return *whole;
  const auto number = all_of<double>(text);
  return number && std::isfinite(*number) ? Json(*number) : Json(text);
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

std::string csv_number(const Json& value) {
  if (value.is_number_float()) return fmt::format("{}", value.get<double>());
  return value.is_number() ? value.dump() : std::string();
}

/// The names of all metrics that occur, the chosen one first.
std::vector<std::string> metric_names(const SweepResults& results) {
  std::set<std::string> names;
  for (const PointRow& row : results.rows) {
    for (const auto& [name, value] : member(row.result, "metrics").items()) names.insert(name);
  }
  std::vector<std::string> ordered;
  const auto& evaluate = results.sweep.evaluate;
  if (evaluate && names.erase(evaluate->metric) > 0) ordered.push_back(evaluate->metric);
  ordered.insert(ordered.end(), names.begin(), names.end());
  return ordered;
}

std::string setting_of(const PointRow& row, const std::string& column) {
  for (const auto& [name, value] : row.point.settings) {
    if (name == column) return value;
  }
  return {};
}

std::string csv_of(const SweepResults& results, const std::vector<std::string>& metrics) {
  std::string text = "point,id";
  for (const auto* names : {&results.sweep.columns, &metrics, &kStatistics}) {
    for (const std::string& name : *names) text += "," + csv_field(name);
  }
  text += ",status\n";
  for (const PointRow& row : results.rows) {
    text += fmt::format("{},{}", row.number, row.point.id);
    for (const std::string& column : results.sweep.columns)
      text += "," + csv_field(setting_of(row, column));
    for (const std::string& name : metrics)
      text += "," + csv_number(member(member(row.result, "metrics"), name.c_str()));
    for (const std::string& name : kStatistics)
      text += "," + csv_number(member(member(row.result, "statistics"), name.c_str()));
    text += "," + status_of(row.result) + "\n";
  }
  return text;
}

Json row_json(const PointRow& row) {
  Json settings = Json::object();
  for (const auto& [name, value] : row.point.settings) settings[name] = value_of(value);
  Json json{{"point", row.number},
            {"id", row.point.id},
            {"same_as", row.same_as ? Json(*row.same_as) : Json()},
            {"settings", settings},
            {"status", status_of(row.result)},
            {"message", ""},
            {"metrics", Json::object()},
            {"statistics", Json::object()},
            {"recipe", row.point.recipe}};
  for (const char* key : {"message", "metrics", "statistics", "signature", "n"}) {
    if (const Json& value = member(row.result, key); !value.is_null()) json[key] = value;
  }
  return json;
}

Json json_of(const SweepResults& results, const std::vector<std::string>& metrics) {
  const auto& evaluate = results.sweep.evaluate;
  Json points = Json::array();
  for (const PointRow& row : results.rows) points.push_back(row_json(row));
  const auto name_of = [](const std::string& path) {
    return std::filesystem::path(path).filename().string();
  };
  return {{"schema", "koine-sweep-1"},
          {"sweep", name_of(results.sweep.file)},
          {"recipe", name_of(results.sweep.recipe_path)},
          {"goal", evaluate ? Json(evaluate->is_goal_max ? "max" : "min") : Json()},
          {"metric", evaluate ? Json(metrics.empty() ? evaluate->metric : metrics[0]) : Json()},
          {"columns", results.sweep.columns},
          {"metrics", metrics},
          {"statistics", kStatistics},
          {"best", results.best ? Json(*results.best) : Json()},
          {"baselines", results.baselines},
          {"notes", results.notes},
          {"points", points}};
}

/// Of the command whose digest this is.
std::optional<double> metric_of(const std::string& digest, const PointRow& row) {
  const Json& metric = member(row.result, "metric");
  const bool is_current = member(row.result, "evaluation") == digest;
  return is_current && status_of(row.result) == "done" && metric.is_number()
             ? std::optional(metric.get<double>())
             : std::nullopt;
}

std::string signature_of(const PointRow& row) {
  const Json& signature = member(row.result, "signature");
  return signature.is_string() ? signature.get<std::string>() : std::string();
}

/// The signature that most ranked points have; of equally common ones the first seen.
std::string commonest_signature(const std::string& digest, const std::vector<PointRow>& rows) {
  std::map<std::string, std::int64_t> counts;
  std::string commonest;
  for (const PointRow& row : rows) {
    if (metric_of(digest, row)) ++counts[signature_of(row)];
  }
  std::int64_t most = 0;
  for (const PointRow& row : rows) {
    const std::string signature = signature_of(row);
    if (!metric_of(digest, row) || counts[signature] <= most) continue;
    most = counts[signature];
    commonest = signature;
  }
  return commonest;
}

void rank(SweepResults& results) {
  if (!results.sweep.evaluate) return;
  const std::string digest = evaluation_digest(*results.sweep.evaluate);
  const std::string signature = commonest_signature(digest, results.rows);
  const double sign = results.sweep.evaluate->is_goal_max ? -1 : 1;
  std::optional<double> least;
  std::int64_t others = 0;
  for (const PointRow& row : results.rows) {
    const auto metric = metric_of(digest, row);
    if (!metric) continue;
    if (signature_of(row) != signature) {
      ++others;
      continue;
    }
    if (least && sign * *metric >= *least) continue;
    least = sign * *metric;
    results.best = row.number;
  }
  if (others > 0)
    results.notes.push_back(
        fmt::format("{} points have another signature than most (data, normaliser, decoding) and "
                    "are not ranked",
                    others));
}

}  // namespace

SweepResults gather_results(const recipe::Sweep& sweep, const SweepFolder& folder,
                            const std::vector<std::int64_t>& numbers) {
  SweepResults results{sweep, {}, {}, {}, {}};
  std::map<std::string, std::int64_t> first;
  std::vector<std::int64_t> ordered = numbers;
  std::ranges::sort(ordered);
  ordered.erase(std::unique(ordered.begin(), ordered.end()), ordered.end());
  for (const std::int64_t number : ordered) {
    const SeenPoint& point = folder.points()[static_cast<std::size_t>(number)];
    const auto [original, is_first] = first.try_emplace(point.id, number);
    PointRow row{number, std::nullopt, point, folder.result(point.id)};
    if (!is_first) row.same_as = original->second;
    results.rows.push_back(std::move(row));
  }
  rank(results);
  return results;
}

void write_results(const SweepResults& results, const SweepFolder& folder) {
  const auto metrics = metric_names(results);
  const Json json = json_of(results, metrics);
  write_file_atomically(folder.path() / "results.csv", csv_of(results, metrics));
  write_file_atomically(folder.path() / "results.json", to_text(json));
  write_file_atomically(folder.path() / "report.html", report::sweep_html(json));
  if (!results.best) {
    std::error_code none;
    std::filesystem::remove(folder.path() / "best.yaml", none);  // of an earlier command
    return;
  }
  const auto best = std::ranges::find(results.rows, *results.best, &PointRow::number);
  write_file_atomically(folder.path() / "best.yaml", best->point.recipe);
}

}  // namespace koine::pipeline
