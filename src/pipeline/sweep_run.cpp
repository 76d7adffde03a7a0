#include "pipeline/sweep_run.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "pipeline/command_text.hpp"
#include "pipeline/finish.hpp"
#include "pipeline/kept_factors.hpp"
#include "pipeline/metric_regex.hpp"
#include "pipeline/sweep_contents.hpp"
#include "pipeline/sweep_folder.hpp"
#include "pipeline/sweep_group.hpp"
#include "pipeline/sweep_keep.hpp"
#include "pipeline/sweep_part.hpp"
#include "pipeline/sweep_results.hpp"
#include "pipeline/sweep_statistics.hpp"
#include "pipeline/sweep_tasks.hpp"

namespace koine::pipeline {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kPointsAtOnce = 256;  // their plans and figures fit beside the matrices

Json to_json(const PointStatistics& statistics) {
  return {{"kept_share", statistics.kept_share},
          {"energy_kept", statistics.energy_kept},
          {"drift", statistics.drift},
          {"sign_conflicts", statistics.sign_conflicts}};
}

class SweepRun {
 public:
  // NOLINTNEXTLINE(readability-function-size): what run_points takes
  SweepRun(const recipe::Sweep& sweep, const fs::path& path, const SweepOptions& options,
           const SweepRound& round, comm::Communicator& processes, const SweepWatcher& watcher)
      : sweep_(sweep),
        places_{options.part.is_whole() ? path : part_folder(path, options.part.number), path},
        options_(options),
        round_(round),
        processes_(processes),
        watcher_(watcher) {
    if (options_.cache.empty()) options_.cache = path / ".koine" / "cache";
    outcome_.folder = path;
  }

  SweepOutcome run() {
    require_known_names();
    SweepPlan plan = plan_points(sweep_, options_.overrides, processes_);
    groups_ = std::move(plan.groups);
    if (processes_.is_root()) {
      if (watcher_.note) std::ranges::for_each(plan.warnings, watcher_.note);
      folder_ = is_part() ? std::make_unique<SweepFolder>(places_.work, places_.home)
                          : std::make_unique<SweepFolder>(places_.home);
    }
    processes_.barrier();
    tell_opened(static_cast<std::int64_t>(sweep_.points.size()));
    for (SweepGroup& group : groups_)
      name_points(group, contents_of(group.inputs, places_.home / ".koine" / "inputs.json",
                                     options_.threads, processes_));
    if (is_part()) {
      round_.points = points_of_part(groups_, options_.part);
      round_.has_baselines = options_.part.number == 1;
    }
    if (processes_.is_root()) number_points();
    tell_opened(outcome_.distinct);
    if (!options_.only_failed) make_statistics();
    if (sweep_.evaluate && !options_.only_statistics) evaluate(*sweep_.evaluate);
    if (processes_.is_root() && !is_part())
      write_results(results(), *folder_);  // before anything can go wrong
    if (round_.is_last && !is_part() && !options_.only_statistics)
      keep_checkpoints({sweep_, places_.home, folder_.get(), numbers_}, options_, processes_,
                       *watcher_.progress);
    finish();
    tell_metrics();
    outcome_.seconds = seconds();
    return std::move(outcome_);
  }

 private:
  /// What the command may name. @throws InputError before anything is done
  void require_known_names() const {
    if (!sweep_.evaluate) return;
    std::vector<std::string> names = recipe::swept_names();
    names.insert(names.end(), {"checkpoint", "point", "id", "kind", "seed", "share"});
    check_command(sweep_.evaluate->command, names);
    if (!sweep_.evaluate->metric_regex.empty()) check_metric_regex(sweep_.evaluate->metric_regex);
  }

  [[nodiscard]] bool is_part() const { return !options_.part.is_whole(); }

  void number_points() {
    std::vector<std::pair<std::size_t, SeenPoint>> seen;  // in the order of the file
    for (const SweepGroup& group : groups_) {
      for (const PlannedPoint& point : group.points)
        seen.emplace_back(point.at, SeenPoint{point.id, sweep_.points[point.at].settings,
                                              anchored_recipe(point.recipe)});
    }
    std::ranges::sort(seen, {}, [](const auto& row) { return row.first; });
    for (const auto& [at, point] : seen) numbers_.push_back(folder_->number_of(point));
    folder_->save_points();
    std::set<std::string> distinct;
    for (const auto& [at, point] : seen) {
      if (!is_part() || round_.has(at)) distinct.insert(point.id);
    }
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
        if (is_part() && !round_.has(group.points[i].at)) continue;
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
      for (std::size_t first = 0; first < points.size(); first += kPointsAtOnce) {
        const std::size_t end = std::min(first + kPointsAtOnce, points.size());
        make_statistics(group, {points.begin() + static_cast<std::ptrdiff_t>(first),
                                points.begin() + static_cast<std::ptrdiff_t>(end)});
      }
    }
  }

  void make_statistics(const SweepGroup& group, const std::vector<std::size_t>& points) {
    std::optional<KeptFactors> cache;
    KeptFactors& factors = open_cache(options_.cache, group.arithmetic, cache, processes_);
    factors.expect(ranks_of(group, points));
    if (watcher_.reading) watcher_.reading(group.points[points[0]].plan, places_.work);
    const auto statistics = sweep_statistics(group, points, {options_.threads, options_.memory},
                                             factors, *watcher_.progress, processes_);
    if (watcher_.reading_over) watcher_.reading_over();
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
    factors.settle(outcome_.notes);
  }

  /// The root decides what there is to do; all merge. Collective.
  void evaluate(const recipe::Evaluation& evaluation) {
    std::string text;
    std::vector<EvaluationTask> all;
    if (processes_.is_root()) {
      const TaskContext context{evaluation,           groups_, *folder_, numbers_,
                                options_.only_failed, round_};
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
    evaluate_tasks(sweep_, all, places_, options_, folder_.get(), processes_, watcher_);
    outcome_.evaluated = static_cast<std::int64_t>(all.size());
  }

  void finish() {
    processes_.barrier();
    auto ranks =
        processes_.gather(timing_of(processes_.rank().value, *watcher_.progress, io_count()));
    if (!processes_.is_root()) return;
    const SweepResults all = results();
    if (!is_part()) write_results(all, *folder_);
    summarise(all);
    for (const std::string& text : ranks) {
      const Json rank = Json::parse(text);
      outcome_.matrices += rank.at("matrices_factorised").get<std::int64_t>();
      outcome_.matrices_found += rank.at("matrices_found").get<std::int64_t>();
    }
    write_timing(places_.work, ranks, seconds());
  }

  /// What is known of all points and baselines. Root only.
  [[nodiscard]] SweepResults results() const {
    std::vector<std::int64_t> numbers;
    for (std::size_t at = 0; at < numbers_.size(); ++at)
      if (!is_part() || round_.has(at)) numbers.push_back(numbers_[at]);
    SweepResults results = gather_results(sweep_, *folder_, numbers);
    for (const Baseline& baseline : baselines_) {
      const Json& known = folder_->result(baseline.key);
      results.baselines.push_back(
          {{"kind", baseline.kind},
           {"name", baseline.name},
           {"status", status_of(known)},
           {"metrics",
            known.is_object() ? known.value("metrics", Json::object()) : Json::object()}});
    }
    return results;
  }

  void summarise(const SweepResults& results) {
    for (const PointRow& row : results.rows) {
      if (!row.same_as && has_failed(row.result)) ++outcome_.failed;
      if (results.best != row.number) continue;
      outcome_.best = row.number;
      outcome_.best_settings = settings_text(row.point);
      outcome_.best_metric = row.result.at("metric").get<double>();
    }
    outcome_.failed += std::ranges::count_if(results.baselines, has_failed);
    outcome_.notes.insert(outcome_.notes.end(), results.notes.begin(), results.notes.end());
  }

  /// Every point's metric of this round, to all. Collective.
  void tell_metrics() {
    std::string text;
    if (processes_.is_root()) {
      Json metrics = Json::array();
      for (const std::int64_t number : numbers_) {
        const SeenPoint& point = folder_->points()[static_cast<std::size_t>(number)];
        const Json& result = folder_->result(result_key(round_, point.id));
        metrics.push_back(status_of(result) == "done" ? result.at("metric") : Json());
      }
      text = metrics.dump();
    }
    processes_.broadcast(text);
    for (const Json& metric : Json::parse(text))
      outcome_.metrics.push_back(metric.is_number() ? std::optional(metric.get<double>())
                                                    : std::nullopt);
  }

  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

  void tell_opened(std::int64_t points) const {
    if (watcher_.opened) watcher_.opened(places_.work, points);
  }

  void say(const std::string& line) const {
    if (watcher_.say && processes_.is_root()) watcher_.say(line);
  }

  const recipe::Sweep& sweep_;
  SweepPlaces places_;
  SweepOptions options_;
  SweepRound round_;  ///< of a part: with its points
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  comm::Communicator& processes_;
  const SweepWatcher& watcher_;
  SweepOutcome outcome_;
  std::vector<SweepGroup> groups_;
  std::unique_ptr<SweepFolder> folder_;  ///< root only
  std::vector<std::int64_t> numbers_;    ///< root only: of the points, in the order of the file
  std::vector<Baseline> baselines_;      ///< root only
};

}  // namespace

// NOLINTNEXTLINE(readability-function-size): what a sweep consists of, each by its own name
SweepOutcome run_points(const recipe::Sweep& sweep, const fs::path& folder,
                        const SweepOptions& options, const SweepRound& round,
                        comm::Communicator& processes, const SweepWatcher& watcher) {
  return SweepRun(sweep, folder, options, round, processes, watcher).run();
}

}  // namespace koine::pipeline
