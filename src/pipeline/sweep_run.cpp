#include "pipeline/sweep_run.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/stop.hpp"
#include "pipeline/command_text.hpp"
#include "pipeline/finish.hpp"
#include "pipeline/kept_factors.hpp"
#include "pipeline/metric_regex.hpp"
#include "pipeline/sweep_folder.hpp"
#include "pipeline/sweep_group.hpp"
#include "pipeline/sweep_keep.hpp"
#include "pipeline/sweep_results.hpp"
#include "pipeline/sweep_statistics.hpp"
#include "pipeline/sweep_tasks.hpp"

namespace koine::pipeline {
namespace {

namespace fs = std::filesystem;

std::string settings_text(const SeenPoint& point) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : point.settings) parts.push_back(name + " " + value);
  return parts.empty() ? "the recipe as it is" : fmt::format("{}", fmt::join(parts, ", "));
}

/// The point's recipe, wherever it is run from.
std::string recipe_text(recipe::Recipe recipe) {
  const auto anchor = [](recipe::ModelEntry& model) {
    model.written = fs::absolute(model.path).lexically_normal().string();
  };
  if (recipe.base) anchor(*recipe.base);
  if (recipe.base_as_model) anchor(*recipe.base_as_model);
  for (recipe::ModelEntry& model : recipe.models) anchor(model);
  return recipe::canonical_yaml(recipe);
}

Json to_json(const PointStatistics& statistics) {
  return {{"kept_share", statistics.kept_share},
          {"energy_kept", statistics.energy_kept},
          {"drift", statistics.drift},
          {"sign_conflicts", statistics.sign_conflicts}};
}

std::string metric_text(const Json& result) {
  return result.is_object() ? result.value("metric", Json()).dump() : "null";
}

std::string status_of(const Json& result) {
  return result.is_object() ? result.value("status", "pending") : "pending";
}

class SweepRun {
 public:
  SweepRun(const recipe::Sweep& sweep, const fs::path& path, const SweepOptions& options,
           comm::Communicator& processes, const SweepWatcher& watcher)
      : sweep_(sweep), path_(path), options_(options), processes_(processes), watcher_(watcher) {
    if (options_.cache.empty()) options_.cache = path / ".koine" / "cache";
    outcome_.folder = path;
  }

  /// @param is_last whether checkpoints are to be kept now
  SweepOutcome run(bool is_last) {
    const auto start = std::chrono::steady_clock::now();
    require_known_names();
    groups_ = plan_points(sweep_, options_.overrides, processes_);
    if (processes_.is_root()) {
      folder_ = std::make_unique<SweepFolder>(path_);
      number_points();
    }
    if (!options_.only_failed) make_statistics();
    if (sweep_.evaluate) evaluate();
    if (is_last)
      keep_checkpoints({sweep_, path_, folder_.get(), numbers_}, options_, processes_,
                       *watcher_.progress);
    finish();
    tell_last_metric();
    outcome_.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return std::move(outcome_);
  }

 private:
  /// What the command may name. @throws InputError before anything is done
  void require_known_names() const {
    if (!sweep_.evaluate) return;
    std::vector<std::string> names{"checkpoint", "point", "id", "kind", "seed"};
    names.insert(names.end(), sweep_.columns.begin(), sweep_.columns.end());
    check_command(sweep_.evaluate->command, names);
    if (!sweep_.evaluate->metric_regex.empty()) check_metric_regex(sweep_.evaluate->metric_regex);
  }

  void number_points() {
    std::vector<std::pair<std::size_t, SeenPoint>> seen;  // in the order of the file
    for (const SweepGroup& group : groups_) {
      for (const PlannedPoint& point : group.points)
        seen.emplace_back(point.at, SeenPoint{point.id, sweep_.points[point.at].settings,
                                              recipe_text(point.recipe)});
    }
    std::ranges::sort(seen, {}, [](const auto& row) { return row.first; });
    for (const auto& [at, point] : seen) numbers_.push_back(folder_->number_of(point));
    folder_->save_points();
    std::set<std::string> distinct;
    for (const auto& [at, point] : seen) distinct.insert(point.id);
    outcome_.points = static_cast<std::int64_t>(seen.size());
    outcome_.distinct = static_cast<std::int64_t>(distinct.size());
    say(fmt::format("  {} points, {} distinct results", outcome_.points, outcome_.distinct));
  }

  /// Positions of the distinct points of a group whose statistics are not known, the same on every
  /// process. Collective.
  std::vector<std::size_t> unknown_points(const SweepGroup& group) {
    std::string text;
    if (processes_.is_root()) {
      Json positions = Json::array();
      std::set<std::string> taken;
      for (std::size_t i = 0; i < group.points.size(); ++i) {
        const std::string& id = group.points[i].id;
        const Json& known = folder_->result(id);
        if ((known.is_object() && known.contains("statistics")) || !taken.insert(id).second)
          continue;
        positions.push_back(i);
      }
      text = positions.dump();
    }
    processes_.broadcast(text);
    return Json::parse(text).get<std::vector<std::size_t>>();
  }

  void make_statistics() {
    for (const SweepGroup& group : groups_) {
      const auto points = unknown_points(group);
      if (points.empty()) continue;
      say(fmt::format("  statistics of {} points from {} models", points.size(),
                      group.inputs.experts.size() + 1));
      make_statistics(group, points);
    }
  }

  void make_statistics(const SweepGroup& group, const std::vector<std::size_t>& points) {
    if (processes_.is_root()) (void)store::FactorCache(options_.cache);
    processes_.barrier();
    KeptFactors factors(options_.cache, group.arithmetic, KeptFactors::Trouble::is_noted);
    factors.expect(targets_of(group, points));
    const auto statistics = sweep_statistics(group, points, {options_.threads, options_.memory},
                                             factors, *watcher_.progress, processes_);
    if (!processes_.is_root()) return;
    for (std::size_t i = 0; i < points.size(); ++i) {
      Json result{{"status", "merged"}, {"statistics", to_json(statistics[i])}};
      if (statistics[i].overflows > 0) {
        result["status"] = "failed";
        result["message"] =
            fmt::format("{} values overflow the output's type", statistics[i].overflows);
      }
      folder_->set_result(group.points[points[i]].id, result);
    }
    outcome_.computed += static_cast<std::int64_t>(points.size());
    if (const std::string trouble = factors.trouble(); !trouble.empty())
      outcome_.notes.push_back("factors were not kept in the cache: " + trouble);
  }

  /// All ranks that will be asked for.
  static std::vector<lowrank::RankTarget> targets_of(const SweepGroup& group,
                                                     const std::vector<std::size_t>& points) {
    std::vector<lowrank::RankTarget> targets;
    const auto is_known = [&](const lowrank::RankTarget& target) {
      return std::ranges::any_of(targets, [&](const lowrank::RankTarget& known) {
        return known.number.kept == target.number.kept && known.energy == target.energy;
      });
    };
    for (const std::size_t i : points) {
      for (const PlannedTensor& planned : group.points[i].plan.tensors) {
        if (planned.treatment != Treatment::pruned) continue;
        for (std::size_t t = 0; t < planned.parts.size(); ++t) {
          const auto& target = planned.parts[t].prune.rank;
          if (!is_known(target)) targets.push_back(target);
        }
      }
    }
    return targets;
  }

  /// The root decides what there is to do; all merge. Collective.
  void evaluate() {
    std::string text;
    std::vector<EvaluationTask> all;
    if (processes_.is_root()) {
      const TaskContext context{sweep_, groups_, *folder_, numbers_, options_.only_failed};
      baselines_ = baselines_of(context);
      all = tasks_of(context);
      Json rows = Json::array();
      for (const EvaluationTask& task : all)
        rows.push_back({task.kind, task.name, task.recipe, task.ready.string()});
      text = rows.dump();
    }
    processes_.broadcast(text);
    if (!processes_.is_root()) {
      for (const Json& row : Json::parse(text))
        all.push_back({"", row.at(0), row.at(1), row.at(2), row.at(3).get<std::string>(), {}});
    }
    evaluate_tasks(sweep_, all, path_, options_, folder_.get(), processes_, watcher_);
    outcome_.evaluated = static_cast<std::int64_t>(all.size());
  }

  void finish() {
    processes_.barrier();
    auto ranks =
        processes_.gather(timing_of(processes_.rank().value, *watcher_.progress, io_count()));
    if (!processes_.is_root()) return;
    SweepResults results = gather_results(sweep_, *folder_, numbers_);
    for (const Baseline& baseline : baselines_) {
      const Json& known = folder_->result(baseline.key);
      results.baselines.push_back(
          {{"kind", baseline.kind},
           {"name", baseline.name},
           {"status", status_of(known)},
           {"metrics",
            known.is_object() ? known.value("metrics", Json::object()) : Json::object()}});
    }
    write_results(results, *folder_);
    summarise(results);
    double seconds = 0;
    for (const std::string& text : ranks) {
      const Json rank = Json::parse(text);
      outcome_.matrices += rank.at("matrices_factorised").get<std::int64_t>();
      outcome_.matrices_found += rank.at("matrices_found").get<std::int64_t>();
      seconds = std::max(seconds, rank.at("cpu_seconds").get<double>());
    }
    write_timing(path_, ranks, seconds);
  }

  void summarise(const SweepResults& results) {
    const auto has_failed = [](const Json& row) {
      const std::string status = status_of(row);
      return status == "failed" || status == "timed out";
    };
    for (const PointRow& row : results.rows) {
      if (!row.same_as && row.result.is_object() && has_failed(row.result)) ++outcome_.failed;
      if (results.best != row.number) continue;
      outcome_.best = row.number;
      outcome_.best_settings = settings_text(row.point);
      outcome_.best_metric = row.result.at("metric").get<double>();
    }
    outcome_.failed += std::ranges::count_if(results.baselines, has_failed);
    outcome_.notes.insert(outcome_.notes.end(), results.notes.begin(), results.notes.end());
  }

  /// The metric of the file's last point, to all. Collective.
  void tell_last_metric() {
    std::string text = "null";
    if (processes_.is_root()) {
      const SeenPoint& last = folder_->points()[static_cast<std::size_t>(numbers_.back())];
      text = metric_text(folder_->result(last.id));
    }
    processes_.broadcast(text);
    const Json metric = Json::parse(text);
    if (metric.is_number()) outcome_.last_metric = metric.get<double>();
  }

  void say(const std::string& line) const {
    if (watcher_.say && processes_.is_root()) watcher_.say(line);
  }

  const recipe::Sweep& sweep_;
  fs::path path_;
  SweepOptions options_;
  comm::Communicator& processes_;
  const SweepWatcher& watcher_;
  SweepOutcome outcome_;
  std::vector<SweepGroup> groups_;
  std::unique_ptr<SweepFolder> folder_;  ///< root only
  std::vector<std::int64_t> numbers_;    ///< root only: of the points, in the order of the file
  std::vector<Baseline> baselines_;      ///< root only
};

}  // namespace

SweepOutcome run_points(const recipe::Sweep& sweep, const fs::path& folder,
                        const SweepOptions& options, bool is_last, comm::Communicator& processes,
                        const SweepWatcher& watcher) {
  return SweepRun(sweep, folder, options, processes, watcher).run(is_last);
}

}  // namespace koine::pipeline
