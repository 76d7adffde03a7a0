#include "pipeline/find_budget.hpp"

#include <algorithm>
#include <functional>
#include <mutex>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/stop.hpp"
#include "core/thread_pool.hpp"
#include "methods/parts.hpp"
#include "pipeline/blocks.hpp"
#include "pipeline/kept_factors.hpp"
#include "pipeline/share_factors.hpp"
#include "pipeline/tensor_reader.hpp"

namespace koine::pipeline {
namespace {

/// tau and L of one matrix and expert.
struct Residual {
  std::size_t at = 0, expert = 0;  ///< at: in BudgetSearch::mine_
  std::span<const float> tau, low;
};

using Use = std::function<void(const Residual&)>;

class BudgetSearch {
 public:
  BudgetSearch(const Plan& plan, const MergeContext& context, int threads,
               comm::Communicator& processes)
      : plan_(plan),
        context_(context),
        threads_(threads),
        processes_(processes),
        scratch_(static_cast<std::size_t>(threads)),
        searches_(plan.densities.size()) {
    for (const std::size_t shard : plan.shards_of(processes.rank().value)) {
      for (const std::size_t i : plan.shards[shard].tensors) {
        if (plan.tensors[i].treatment == Treatment::pruned) mine_.push_back(i);
      }
    }
    std::ranges::stable_sort(mine_, std::ranges::greater{},
                             [&](std::size_t i) { return plan.tensors[i].cost; });
    prints_.resize(mine_.size());
    standings_.resize(mine_.size(), std::vector<sparse::Standing>(searches_.size()));
  }

  ModelBudget run() {
    share_factors(plan_, std::vector<bool>(plan_.shards.size(), true), context_, scratch_,
                  processes_);
    for (std::size_t digit = 0; digit < sparse::kDigitCount; ++digit) {
      narrow(digit);
      context_.progress.has_all_factors = true;
    }
    for_each_residual([&](const Residual& r) {
      standings_[r.at][r.expert] = sparse::compare_with(r.tau, r.low, searches_[r.expert].key);
    });
    return share_out(processes_.gather(mine_as_text()));
  }

 private:
  /// Counts one digit over everything, then narrows every expert's search by it. Collective.
  void narrow(std::size_t digit) {
    std::vector<std::int64_t> counts(searches_.size() * sparse::kBins);
    std::mutex guard;
    for_each_residual([&](const Residual& r) {
      if (digit > 0 && searches_[r.expert].left == 0) return;
      sparse::Bins bins{};
      sparse::count_digit(r.tau, r.low, searches_[r.expert], bins);
      const std::lock_guard lock(guard);
      std::int64_t* sum = counts.data() + r.expert * sparse::kBins;
      for (std::size_t bin = 0; bin < sparse::kBins; ++bin) sum[bin] += bins[bin];
    });
    processes_.all_reduce_sum(std::span(counts));
    for (std::size_t t = 0; t < searches_.size(); ++t) {
      const auto bins = std::span<const std::int64_t>(counts).subspan(t * sparse::kBins);
      if (digit == 0) searches_[t].left = budget(bins.first<sparse::kBins>(), plan_.densities[t]);
      if (searches_[t].left > 0) searches_[t].narrow(bins.first<sparse::kBins>());
    }
  }

  /// k; a matrix that is not finite (--allow-nonfinite) was not counted and has no share in it.
  static std::int64_t budget(std::span<const std::int64_t, sparse::kBins> bins, double density) {
    std::int64_t numel = 0;
    for (const std::int64_t count : bins) numel += count;
    return sparse::keep_count(numel, density);
  }

  /// Calls use(residual) for every matrix of this process and every expert, from several threads.
  void for_each_residual(const Use& use) {
    parallel_for(
        static_cast<std::int64_t>(mine_.size()), threads_, [&](std::int64_t i, int thread) {
          visit(static_cast<std::size_t>(i), scratch_[static_cast<std::size_t>(thread)], use);
        });
  }

  void visit(std::size_t at, Scratch& scratch, const Use& use) {
    const PlannedTensor& planned = plan_.tensors[mine_[at]];
    TensorReader reader(planned, context_, scratch);
    const std::int64_t count = reader.base().count();
    reader.read_base(0, count);
    const auto tau = scratch.tau.take(count), low = scratch.m.take(count);
    for (std::size_t t = 0; t < searches_.size(); ++t) {
      throw_if_stopped();
      if (!reader.read_task_vector(t, tau).is_finite) continue;
      const StageTimer timer(context_.progress, Stage::prune);
      const MatrixView matrix{tau.data(), reader.base().shape[0], reader.base().shape[1]};
      methods::store_low_part(context_.method, matrix,
                              prune_parameters(planned, t, context_, reader), low, scratch.svd);
      use(Residual{at, t, tau, low});
    }
    if (prints_[at].empty()) prints_[at] = reader.fingerprints();
    for (std::size_t model = 0; model <= searches_.size(); ++model)
      reader.require_unchanged(model, prints_[at][model]);
  }

  /// What this process knows, for the root.
  [[nodiscard]] std::string mine_as_text() const {
    Json rows = Json::array();
    for (std::size_t at = 0; at < mine_.size(); ++at) {
      Json standings = Json::array();
      for (const auto& standing : standings_[at])
        standings.push_back(Json::array({standing.above, standing.equal}));
      rows.push_back(Json::array({mine_[at], prints_[at], standings}));
    }
    return rows.dump();
  }

  /// The root's part: equal entries in canonical order.
  [[nodiscard]] ModelBudget share_out(const std::vector<std::string>& texts) const {
    ModelBudget budget{std::vector<MatrixBudget>(plan_.tensors.size())};
    std::vector<std::vector<sparse::Standing>> standings(plan_.tensors.size());
    for (const std::string& text : texts) {
      for (const Json& row : Json::parse(text)) {
        const auto i = row.at(0).get<std::size_t>();
        budget.matrices[i].inputs = row.at(1).get<std::vector<std::string>>();
        for (const Json& standing : row.at(2))
          standings[i].push_back({standing.at(0), standing.at(1)});
      }
    }
    if (processes_.is_root()) {
      for (std::size_t t = 0; t < searches_.size(); ++t) share_out(t, standings, budget);
    }
    return budget;
  }

  void share_out(std::size_t t, const std::vector<std::vector<sparse::Standing>>& standings,
                 ModelBudget& budget) const {
    std::vector<sparse::Standing> column;
    for (const auto& row : standings) {
      if (!row.empty()) column.push_back(row[t]);
    }
    std::vector<sparse::Threshold> shares(column.size());  // nothing, where k is 0
    if (searches_[t].digit == sparse::kDigitCount) shares = sparse::share_out(searches_[t], column);
    auto share = shares.begin();
    for (std::size_t i = 0; i < standings.size(); ++i) {
      if (!standings[i].empty()) budget.matrices[i].thresholds.push_back(*share++);
    }
  }

  const Plan& plan_;
  const MergeContext& context_;
  int threads_;
  comm::Communicator& processes_;
  std::vector<Scratch> scratch_;
  std::vector<sparse::Search> searches_;          ///< per expert, the same on every process
  std::vector<std::size_t> mine_;                 ///< matrices of this process, costliest first
  std::vector<std::vector<std::string>> prints_;  ///< of each of them
  std::vector<std::vector<sparse::Standing>> standings_;  ///< per expert
};

/// What is read before merging.
std::int64_t searched_bytes(const Plan& plan, int rank) {
  std::int64_t bytes = 0;
  for (const std::size_t shard : plan.shards_of(rank))
    bytes += plan.shards[shard].bytes_searched + plan.shards[shard].bytes_shared;
  return bytes;
}

}  // namespace

FoundBudget find_budget(const Plan& plan, const MergeContext& context, const Identity& identity,
                        int threads, comm::Communicator& processes) {
  const ModelBudget found = BudgetSearch(plan, context, threads, processes).run();
  std::string text;
  if (processes.is_root()) text = budget_text(found, identity);
  processes.broadcast(text);
  auto told = budget_from(text, plan, identity, ByArithmetic::any);
  if (!told) throw CommError("the thresholds did not arrive whole; run the same command again");
  return {std::move(*told), std::move(text)};
}

void RunBudget::settle(const Plan& plan, const BudgetOptions& options, MergeContext& context,
                       comm::Communicator& processes) {
  if (plan.densities.empty()) return;
  const auto& [identity, run, threads] = options;
  const auto which = run.state == RunState::complete ? ByArithmetic::any : ByArithmetic::own;
  std::string text = processes.is_root() ? read_budget(run.path) : std::string();
  processes.broadcast(text);
  if (auto kept = budget_from(text, plan, identity, which)) {
    context.budget = &budget.emplace(std::move(*kept));
    context.progress.bytes += searched_bytes(plan, processes.rank().value);
    return;
  }
  FoundBudget found = find_budget(plan, context, identity, threads, processes);
  if (processes.is_root()) write_budget(run.path, found.text);
  context.budget = &budget.emplace(std::move(found.budget));
}

}  // namespace koine::pipeline
