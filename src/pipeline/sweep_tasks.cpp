#include "pipeline/sweep_tasks.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

namespace koine::pipeline {
namespace {

namespace fs = std::filesystem;

/// The group with the most experts.
const SweepGroup& largest_group(const TaskContext& context) {
  return *std::ranges::max_element(
      context.groups, {}, [](const SweepGroup& group) { return group.inputs.experts.size(); });
}

/// Whether this result is to be made (again).
bool is_wanted(const TaskContext& context, const Json& result) {
  const std::string status = result.is_object() ? result.value("status", "pending") : "pending";
  const bool has_failed = status == "failed" || status == "timed out";
  const std::string judged = result.is_object() ? result.value("evaluation", "") : "";
  if (judged.empty() && has_failed) return false;  // overflowed: there is no checkpoint
  const bool is_judged = judged == evaluation_digest(*context.sweep.evaluate);
  return context.only_failed ? is_judged && has_failed : !is_judged;
}

/// Every placeholder has a value: a baseline has no settings, a point those of its own.
void add_settings(const TaskContext& context, const SeenPoint& point, EvaluationTask& task) {
  const recipe::Recipe& recipe = context.groups.front().points.front().recipe;
  task.values.emplace_back("seed", std::to_string(recipe.seed));
  std::map<std::string, std::string> settings(point.settings.begin(), point.settings.end());
  for (const std::string& column : context.sweep.columns)
    task.values.emplace_back(column, settings[column]);
}

std::string file_name(std::string name) {
  std::ranges::replace(name, '/', '_');
  return name;
}

std::string path_of(const TaskContext& context, const Baseline& baseline) {
  const recipe::Recipe& recipe = largest_group(context).points.front().recipe;
  if (baseline.kind == "base") return recipe.base->path;
  return std::ranges::find(recipe.models, baseline.name, &recipe::ModelEntry::name)->path;
}

EvaluationTask task_of(const TaskContext& context, const Baseline& baseline) {
  const fs::path path = fs::absolute(path_of(context, baseline));
  EvaluationTask task{baseline.key, baseline.kind, baseline.key, {}, {}, {}};
  const auto format = context.sweep.evaluate->format;
  if ((format == recipe::CheckpointFormat::hf && fs::exists(path / "config.json")) ||
      (format == recipe::CheckpointFormat::openai && path.extension() == ".pt")) {
    task.ready = path;
  } else {
    task.recipe =
        fmt::format("merge_method: linear\nmodels:\n  - model: {}\n", Json(path.string()).dump());
  }
  task.values = {{"point", ""}, {"id", baseline.name}, {"kind", baseline.kind}};
  add_settings(context, {}, task);
  return task;
}

}  // namespace

std::vector<Baseline> baselines_of(const TaskContext& context) {
  std::vector<Baseline> baselines;
  if (!context.sweep.evaluate->has_baselines) return baselines;
  const recipe::Recipe& recipe = largest_group(context).points.front().recipe;
  if (recipe.base) baselines.push_back({"base", "base", "base"});
  for (const recipe::ModelEntry& model : recipe.models)
    baselines.push_back({"expert", model.name, "expert-" + file_name(model.name)});
  return baselines;
}

std::vector<EvaluationTask> tasks_of(const TaskContext& context) {
  std::vector<EvaluationTask> tasks;
  for (const Baseline& baseline : baselines_of(context)) {
    if (is_wanted(context, context.folder.result(baseline.key)))
      tasks.push_back(task_of(context, baseline));
  }
  std::set<std::string> taken;
  for (const std::int64_t number : context.numbers) {
    const SeenPoint& point = context.folder.points()[static_cast<std::size_t>(number)];
    if (!taken.insert(point.id).second || !is_wanted(context, context.folder.result(point.id)))
      continue;
    EvaluationTask task{point.id, "point", std::to_string(number), point.recipe, {}, {}};
    task.values = {{"point", task.name}, {"id", point.id}, {"kind", task.kind}};
    add_settings(context, point, task);
    tasks.push_back(std::move(task));
  }
  return tasks;
}

}  // namespace koine::pipeline
