#include "pipeline/sweep_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/thread_pool.hpp"
#include "lowrank/truncated_svd.hpp"
#include "pipeline/find_budget.hpp"
#include "pipeline/swept_sum.hpp"

namespace koine::pipeline {
namespace {

/// What a tensor's figures say of the result alone, so that settings with one result have one: of
/// what lambda 0 leaves out nothing is kept; where L is tau, all of it.
stats::TensorRow as_made(stats::TensorRow row, const PlannedTensor& planned,
                         const checkpoint::TensorInfo& info) {
  const bool is_sum =
      planned.treatment == Treatment::pruned || planned.treatment == Treatment::dense;
  if (is_sum && planned.lambda == 0) row.model.signs_total = row.model.signs_agree = 0;
  for (stats::ExpertRow& expert : row.experts) {
    if (is_sum && planned.lambda == 0) {
      expert.kept = 0;
      expert.merged_squared = 0;
    } else if (expert.method == "full") {
      expert.kept = info.count();
    } else if (planned.treatment == Treatment::averaged) {
      expert.merged_squared = expert.tau_squared;  // of a mean of whole weights
    }
  }
  return row;
}

/// A share of the machine's free memory for each of its processes; 0: not known.
std::int64_t available_memory() {
  std::ifstream info("/proc/meminfo");
  for (std::string line; std::getline(info, line);) {
    if (!line.starts_with("MemAvailable:")) continue;
    constexpr std::int64_t kKib = 1024;
    return std::stoll(line.substr(13)) * kKib / 5 * 4 / comm::launched_on_this_machine();
  }
  return 0;
}

class SweepStatistics {
 public:
  // NOLINTNEXTLINE(readability-function-size): what sweep_statistics takes
  SweepStatistics(const SweepGroup& group, std::span<const std::size_t> points,
                  const StatisticsOptions& options, const KeptFactors& factors, Progress& progress,
                  comm::Communicator& processes)
      : group_(group),
        points_(points),
        processes_(processes),
        sources_(open_sources(group.inputs)),
        tensors_(group.inputs.base.tensors.size()),
        // The methods of the points differ; this one is not asked.
        context_{group.inputs, sources_, *group.points[points[0]].method,
                 false,        progress, &factors},
        base_squares_(tensors_),
        drifts_(tensors_ * points.size()) {
    for (std::size_t i = 0; i < points.size(); ++i) {
      merges_.push_back({&point(i).plan, point(i).method.get(), nullptr});
      slots_.emplace_back(tensors_, group.inputs.experts.size());
    }
    threads_ = threads_within(options);
    context_.progress.has_all_factors = false;  // those of these points may be others
    find_budgets();
  }

  std::vector<PointStatistics> run() {
    std::vector<std::size_t> mine;
    const Plan& plan = *merges_[0].plan;
    for (const std::size_t shard : plan.shards_of(processes_.rank().value))
      for (const std::size_t i : plan.shards[shard].tensors) mine.push_back(i);
    std::ranges::stable_sort(mine, std::ranges::greater{},
                             [&](std::size_t i) { return plan.tensors[i].cost; });
    std::vector<SweepScratch> scratch(static_cast<std::size_t>(threads_));
    parallel_for(static_cast<std::int64_t>(mine.size()), threads_, [&](std::int64_t i, int thread) {
      visit(mine[static_cast<std::size_t>(i)], scratch[static_cast<std::size_t>(thread)]);
    });
    processes_.all_reduce_sum(std::span(base_squares_));
    processes_.all_reduce_sum(std::span(drifts_));
    std::vector<PointStatistics> statistics;
    for (std::size_t i = 0; i < points_.size(); ++i) statistics.push_back(statistics_of(i));
    return statistics;
  }

 private:
  [[nodiscard]] const PlannedPoint& point(std::size_t i) const { return group_.points[points_[i]]; }

  /// density_over: model: one search for all points that keep the same. Collective.
  void find_budgets() {
    for (std::size_t i = 0; i < points_.size(); ++i) {
      budgets_.emplace_back();
      if (point(i).plan.densities.empty()) continue;
      for (std::size_t j = 0; j < i && merges_[i].budget == nullptr; ++j) {
        if (merges_[j].budget != nullptr && has_same_budget(point(i), point(j)))
          merges_[i].budget = merges_[j].budget;
      }
      if (merges_[i].budget != nullptr) continue;
      MergeContext context{group_.inputs, sources_,          *point(i).method,
                           false,         context_.progress, context_.factors};
      const Identity identity{"", group_.identity, group_.arithmetic};
      budgets_.back() = std::make_unique<ModelBudget>(
          find_budget(point(i).plan, context, identity, threads_, processes_).budget);
      merges_[i].budget = budgets_.back().get();
    }
  }

  /// Lambda and weights have no part in it.
  static bool has_same_budget(const PlannedPoint& a, const PlannedPoint& b) {
    if (a.method->name() != b.method->name() || a.plan.densities != b.plan.densities) return false;
    for (std::size_t i = 0; i < a.plan.tensors.size(); ++i) {
      const PlannedTensor &mine = a.plan.tensors[i], &its = b.plan.tensors[i];
      if (mine.treatment != its.treatment) return false;
      if (mine.treatment == Treatment::pruned && !has_same_ranks(mine, its)) return false;
    }
    return true;
  }

  /// Within --memory; without one, within what the machine has left.
  /// @throws InputError with the least that --memory needs
  [[nodiscard]] int threads_within(const StatisticsOptions& options) const {
    const std::int64_t limit = options.memory > 0 ? options.memory : available_memory();
    if (limit == 0) return options.threads;
    std::int64_t largest = 0;
    for (std::size_t i = 0; i < tensors_; ++i)
      largest = std::max(largest, sweep_scratch_bytes(i, merges_, group_.inputs));
    const Plan& plan = *merges_[0].plan;
    const std::int64_t fixed =
        plan.memory(group_.inputs, 0) + static_cast<std::int64_t>(points_.size() * slots_bytes());
    if (options.memory > 0 && fixed + largest > options.memory) {
      throw InputError(fmt::format("--memory {}: a sweep of these points needs at least {}",
                                   human_bytes(options.memory), human_bytes(fixed + largest)));
    }
    return static_cast<int>(
        std::clamp<std::int64_t>((limit - fixed) / largest, 1, options.threads));
  }

  [[nodiscard]] std::size_t slots_bytes() const {
    return 8 * tensors_ * (7 + 5 * group_.inputs.experts.size());
  }

  void visit(std::size_t tensor, SweepScratch& scratch) {
    const auto [rows, squared] = swept_rows(tensor, merges_, context_, scratch);
    const checkpoint::TensorInfo& info =
        group_.inputs.base.tensors[merges_[0].plan->tensors[tensor].index];
    base_squares_[tensor] = squared;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const PlannedTensor& planned = merges_[i].plan->tensors[tensor];
      slots_[i].fill(tensor, as_made(rows[i], planned, info));
      const double lambda = planned.treatment == Treatment::averaged ? 1 : planned.lambda;
      drifts_[i * tensors_ + tensor] = lambda * lambda * rows[i].model.delta_squared;
    }
    ++context_.progress.tensors;
  }

  PointStatistics statistics_of(std::size_t i) {
    processes_.all_reduce_sum(slots_[i].values());
    const stats::Totals totals = slots_[i].totals();
    double tau = 0, merged = 0, kept = 0, drift = 0, base = 0, count = 0;
    for (const stats::ExpertRow& row : totals.experts) {
      tau += row.tau_squared;
      merged += row.merged_squared;
      kept += static_cast<double>(row.kept);
    }
    for (std::size_t tensor = 0; tensor < tensors_; ++tensor) {
      drift += drifts_[i * tensors_ + tensor];
      base += base_squares_[tensor];
      const checkpoint::TensorInfo& info =
          group_.inputs.base.tensors[merges_[i].plan->tensors[tensor].index];
      if (is_float(info.dtype)) count += static_cast<double>(info.count());
    }
    const auto ratio = [](double part, double whole) { return whole > 0 ? part / whole : 0; };
    const stats::ModelRow& model = totals.model;
    return {ratio(kept, count * static_cast<double>(totals.experts.size())), ratio(merged, tau),
            std::sqrt(ratio(drift, base)),
            ratio(static_cast<double>(model.signs_total - model.signs_agree),
                  static_cast<double>(model.signs_total)),
            model.overflows};
  }

  const SweepGroup& group_;
  std::span<const std::size_t> points_;
  comm::Communicator& processes_;
  std::vector<checkpoint::Source> sources_;
  std::size_t tensors_;
  MergeContext context_;
  std::vector<std::unique_ptr<ModelBudget>> budgets_;
  std::vector<SweptMerge> merges_;
  std::vector<stats::Slots> slots_;   ///< by point
  std::vector<double> base_squares_;  ///< by tensor
  std::vector<double> drifts_;        ///< by point and tensor: |lambda D|^2
  int threads_ = 1;
};

}  // namespace

// NOLINTNEXTLINE(readability-function-size): each by its own name
std::vector<PointStatistics> sweep_statistics(const SweepGroup& group,
                                              std::span<const std::size_t> points,
                                              const StatisticsOptions& options,
                                              const KeptFactors& factors, Progress& progress,
                                              comm::Communicator& processes) {
  lowrank::use_one_blas_thread();
  return SweepStatistics(group, points, options, factors, progress, processes).run();
}

}  // namespace koine::pipeline
