#include "pipeline/share_of_shards.hpp"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "core/stop.hpp"
#include "pipeline/shard_claims.hpp"
#include "pipeline/shard_relay.hpp"
#include "pipeline/share_factors.hpp"

namespace koine::pipeline {
namespace {

class ShareOfShards {
 public:
  ShareOfShards(const Plan& plan, const MergeContext& context, const RunFolder& run,
                const ShardOptions& options)
      : plan_(plan),
        context_(context),
        run_(run),
        options_(options),
        share_{stats::Slots(plan.tensors.size(), context.inputs.experts.size())} {}

  Share merge(bool takes_others, comm::Communicator& processes) {
    const int rank = processes.rank().value;
    std::vector<std::size_t> shards = take_finished(rank);
    const std::vector<bool> is_left = left_of_all(shards, processes);
    if (!plan_.shared.empty() && plan_.densities.empty())  // else they were, for the thresholds
      share_factors(plan_, is_left, context_, options_.scratch, processes);
    if (takes_others)
      std::ranges::copy_if(plan_.shards_of_others(rank), std::back_inserter(shards),
                           [&](std::size_t index) { return is_left[index]; });
    const ShardClaims claims = takes_others ? ShardClaims(run_.path) : ShardClaims();
    share_.merged = merge_shards(
        shards, claims, plan_, context_, run_.path, options_,
        [this](std::size_t index, const store::ShardRecord& record) { note(index, record); });
    return std::move(share_);
  }

 private:
  /// A published shard's figures.
  void note(std::size_t index, const store::ShardRecord& record) {
    const PlannedShard& shard = plan_.shards[index];
    for (std::size_t i = 0; i < shard.tensors.size(); ++i)
      share_.slots.fill(shard.tensors[i], record.tensors[i].row);
  }

  /// Returns the shards that this process owns and that are left to merge.
  std::vector<std::size_t> take_finished(int rank) {
    std::vector<std::size_t> left;
    for (const std::size_t index : plan_.shards_of(rank)) {
      throw_if_stopped();
      if (const auto record =
              reuse_shard(plan_.shards[index], plan_, context_, run_.path, options_)) {
        note(index, *record);
        ++share_.reused;
      } else {
        left.push_back(index);
      }
    }
    return left;
  }

  /// Which shards any process has left. Collective; the same everywhere.
  [[nodiscard]] std::vector<bool> left_of_all(const std::vector<std::size_t>& left,
                                              comm::Communicator& processes) const {
    std::vector<std::int64_t> flags(plan_.shards.size(), 0);
    for (const std::size_t index : left) flags[index] = 1;
    processes.all_reduce_sum(flags);
    return {flags.begin(), flags.end()};
  }

  const Plan& plan_;
  const MergeContext& context_;
  const RunFolder& run_;
  const ShardOptions& options_;
  Share share_;
};

}  // namespace

// NOLINTNEXTLINE(readability-function-size): as above
Share merge_share(const Plan& plan, const MergeContext& context, const RunFolder& run,
                  const ShardOptions& options, bool is_alike, comm::Communicator& processes) {
  const bool takes_others = is_alike && processes.size() > 1 && context.lanes == nullptr;
  return ShareOfShards(plan, context, run, options).merge(takes_others, processes);
}

}  // namespace koine::pipeline
