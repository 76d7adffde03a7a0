#include "pipeline/sweep_tasks.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

namespace koine::pipeline {
namespace {

namespace fs = std::filesystem;

/// Whether this result is to be made (again).
bool is_wanted(const TaskContext& context, const Json& result) {
  const std::string judged = result.is_object() ? result.value("evaluation", "") : "";
  if (judged.empty() && has_failed(result)) return false;  // overflowed: there is no checkpoint
  const bool is_judged = judged == evaluation_digest(context.evaluation);
  return context.only_failed ? is_judged && has_failed(result) : !is_judged;
}

/// A value as a command may use it: text as it is, all else as JSON.
std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// What a recipe sets, by the names that a sweep uses: "rank", "merge_method", "svd.mode".
std::map<std::string, std::string> effective_settings(const recipe::Recipe& recipe) {
  std::map<std::string, std::string> settings;
  const Json all = Json::parse(recipe::canonical_json(recipe));
  for (const auto& [key, value] : all.items()) {
    if (key == "parameters" || key == "svd") {
      const std::string prefix = key == "svd" ? "svd." : "";
      for (const auto& [name, number] : value.items()) settings[prefix + name] = text_of(number);
    } else if (key != "models" && key != "base_model") {
      settings[key] = text_of(value);
    }
  }
  return settings;
}

const PlannedPoint* planned_point(const TaskContext& context, const std::string& id) {
  for (const SweepGroup& group : context.groups) {
    const auto found = std::ranges::find(group.points, id, &PlannedPoint::id);
    if (found != group.points.end()) return &*found;
  }
  return nullptr;
}

/// Every name that a sweep can vary has a value: as the sweep writes it, else the point's own;
/// a baseline has none.
void add_settings(const TaskContext& context, const SeenPoint* point, EvaluationTask& task) {
  std::map<std::string, std::string> settings;
  if (point != nullptr) {
    if (const auto* planned = planned_point(context, point->id))
      settings = effective_settings(planned->recipe);
    for (const auto& [name, value] : point->settings) settings[name] = value;
  }
  task.values.emplace_back("share", fmt::format("{}", context.round.share));
  for (const std::string& name : recipe::swept_names())
    task.values.emplace_back(name, settings[name]);
}

std::string file_name(std::string name) {
  std::ranges::replace(name, '/', '_');
  return name;
}

/// @param contents of contents_of: what the model holds
Baseline baseline_of(const std::string& kind, const std::string& name, const std::string& path,
                     const std::string& contents) {
  constexpr std::size_t kDigits = 8;
  const std::string stem = kind == "base" ? kind : kind + "-" + file_name(name);
  return {kind, name, path, stem + "-" + contents.substr(0, kDigits)};
}

EvaluationTask task_of(const TaskContext& context, const Baseline& baseline) {
  const fs::path path = fs::absolute(baseline.path);
  EvaluationTask task{baseline.key, baseline.kind, baseline.key, {}, {}, {}};
  const auto format = context.evaluation.format;
  if ((format == recipe::CheckpointFormat::hf && fs::exists(path / "config.json")) ||
      (format == recipe::CheckpointFormat::openai && path.extension() == ".pt")) {
    task.ready = path;
  } else {
    task.recipe =
        fmt::format("merge_method: linear\nmodels:\n  - model: {}\n", Json(path.string()).dump());
  }
  task.values = {{"point", ""}, {"id", baseline.name}, {"kind", baseline.kind}};
  add_settings(context, nullptr, task);
  return task;
}

}  // namespace

std::string result_key(const SweepRound& round, const std::string& id) {
  return round.name.empty() ? id : id + "@" + round.name;
}

std::vector<Baseline> baselines_of(const TaskContext& context) {
  std::vector<Baseline> baselines;
  if (!context.evaluation.has_baselines || !context.round.has_baselines ||
      !context.round.name.empty())
    return baselines;
  const auto add = [&](const Baseline& baseline) {
    if (std::ranges::find(baselines, baseline.key, &Baseline::key) == baselines.end())
      baselines.push_back(baseline);
  };
  for (const SweepGroup& group : context.groups) {
    const recipe::Recipe& recipe = group.points.front().recipe;
    if (recipe.base) add(baseline_of("base", "base", recipe.base->path, group.contents[0]));
  }
  for (const SweepGroup& group : context.groups) {
    for (std::size_t t = 0; t < group.inputs.experts.size(); ++t) {
      const recipe::ModelEntry& entry = group.inputs.experts[t].entry;
      add(baseline_of("expert", entry.name, entry.path, group.contents[t + 1]));
    }
  }
  return baselines;
}

std::vector<EvaluationTask> tasks_of(const TaskContext& context) {
  std::vector<EvaluationTask> tasks;
  for (const Baseline& baseline : baselines_of(context)) {
    if (is_wanted(context, context.folder.result(baseline.key)))
      tasks.push_back(task_of(context, baseline));
  }
  std::set<std::string> taken;
  for (std::size_t i = 0; i < context.numbers.size(); ++i) {
    if (!context.round.has(i)) continue;
    const std::int64_t number = context.numbers[i];
    const SeenPoint& point = context.folder.points()[static_cast<std::size_t>(number)];
    const std::string key = result_key(context.round, point.id);
    if (!taken.insert(point.id).second || !is_wanted(context, context.folder.result(key))) continue;
    EvaluationTask task{key, "point", std::to_string(number), point.recipe, {}, {}};
    task.values = {{"point", task.name}, {"id", point.id}, {"kind", task.kind}};
    add_settings(context, &point, task);
    tasks.push_back(std::move(task));
  }
  return tasks;
}

}  // namespace koine::pipeline
