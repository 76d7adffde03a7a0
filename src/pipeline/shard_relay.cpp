#include "pipeline/shard_relay.hpp"

#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>

#include "core/thread_pool.hpp"

namespace koine::pipeline {
namespace {

constexpr std::int64_t kMostUnpublished = 2;

/// A group: which of the given shards, and its tensors' positions there.
struct Item {
  std::size_t turn = 0;
  std::vector<std::size_t> group;
};

class Relay {
 public:
  // NOLINTNEXTLINE(readability-function-size): what a merge consists of, each by its own name
  Relay(const std::vector<std::size_t>& shards, const ShardClaims& claims, const Plan& plan,
        const MergeContext& context, const std::filesystem::path& run, const ShardOptions& options,
        const Published& published)
      : shards_(shards),
        claims_(claims),
        plan_(plan),
        context_(context),
        run_(run),
        options_(options),
        published_(published),
        is_asked_for_(shards.size()),
        open_(shards.size()),
        left_(shards.size()) {
    for (std::size_t turn = 0; turn < shards.size(); ++turn) {
      for (auto& group : groups_of(plan.shards[shards[turn]], plan, context))
        items_.push_back({turn, std::move(group)});
      left_[turn] = plan.shards[shards[turn]].tensors.size();
    }
  }

  /// Returns how many shards were merged.
  std::int64_t run() {
    std::jthread publisher([this] { publish_merged(); });
    std::exception_ptr failure;
    try {
      parallel_for(static_cast<std::int64_t>(items_.size()), options_.threads(),
                   [this](std::int64_t i, int thread) {
                     merge(static_cast<std::size_t>(i),
                           options_.scratch[static_cast<std::size_t>(thread)]);
                   });
    } catch (...) {
      failure = std::current_exception();
    }
    say([this] { is_over_ = true; });
    publisher.join();
    if (publish_failure_) std::rethrow_exception(publish_failure_);  // of an earlier shard
    if (failure) std::rethrow_exception(failure);
    return begun_;
  }

 private:
  void merge(std::size_t index, Scratch& scratch) {
    const Item& item = items_[index];
    try {
      ShardWork* shard = open(item.turn);
      if (shard == nullptr) return;  // another process', or a failure that whoever met it tells
      announce(index + options_.scratch.size());
      shard->merge(item.group, scratch);
    } catch (...) {
      say([this] { has_failed_ = true; });
      throw;
    }
    say([&] {
      left_[item.turn] -= item.group.size();
      if (left_[item.turn] == 0) merged_.push_back(item.turn);
    });
  }

  /// The tensor that this thread is likely to merge next.
  void announce(std::size_t index) const {
    if (index >= items_.size()) return;
    const PlannedShard& shard = plan_.shards[shards_[items_[index].turn]];
    will_merge(plan_.tensors[shard.tensors[items_[index].group.front()]], context_);
  }

  /// The shard, claimed and opened when its first tensor comes; waits while two are unpublished.
  /// Nothing where another process has claimed it, or after a failure.
  ShardWork* open(std::size_t turn) {
    std::unique_lock lock(guard_);
    changed_.wait(lock, [&] {
      return begun_ < published_count_ + kMostUnpublished || is_asked_for_[turn] || has_failed_;
    });
    if (has_failed_) return nullptr;
    if (!is_asked_for_[turn]) {
      is_asked_for_[turn] = true;
      const PlannedShard& shard = plan_.shards[shards_[turn]];
      if (!claims_.take(shard.name)) return nullptr;
      open_[turn] = std::make_unique<ShardWork>(shard, plan_, context_, run_, options_.arithmetic);
      ++begun_;
      changed_.notify_all();
    }
    return open_[turn].get();
  }

  /// The publisher: until all is over, and every merged shard published.
  void publish_merged() {
    for (;;) {
      std::unique_lock lock(guard_);
      changed_.wait(lock, [this] { return !merged_.empty() || is_over_; });
      if (merged_.empty()) return;
      const std::size_t turn = merged_.front();
      merged_.pop_front();
      // Whether another shard is begun is known soon: threads look for one before a shard is
      // merged.
      changed_.wait(lock,
                    [this] { return begun_ > published_count_ + 1 || is_over_ || has_failed_; });
      const bool is_last = begun_ == published_count_ + 1;
      lock.unlock();
      try {
        publish(turn, is_last ? options_.threads() : 1);
      } catch (...) {
        say([this] {
          publish_failure_ = std::current_exception();
          has_failed_ = true;
        });
        return;
      }
      say([this] { ++published_count_; });
    }
  }

  void publish(std::size_t turn, int threads) {
    const StageTimer timer(context_.progress, Stage::publish);
    const std::unique_ptr<ShardWork> shard = std::move(open_[turn]);
    published_(shards_[turn], shard->publish(threads));
  }

  template <typename Change>
  void say(Change change) {
    {
      const std::lock_guard lock(guard_);
      change();
    }
    changed_.notify_all();
  }

  const std::vector<std::size_t>& shards_;
  const ShardClaims& claims_;
  const Plan& plan_;
  const MergeContext& context_;
  const std::filesystem::path& run_;
  const ShardOptions& options_;
  const Published& published_;
  std::vector<Item> items_;

  std::mutex guard_;  ///< of all below
  std::condition_variable changed_;
  std::vector<bool> is_asked_for_;                ///< by turn
  std::vector<std::unique_ptr<ShardWork>> open_;  ///< by turn
  std::vector<std::size_t> left_;                 ///< by turn: tensors not merged yet
  std::deque<std::size_t> merged_;                ///< turns that wait for the publisher
  std::int64_t begun_ = 0, published_count_ = 0;  ///< shards of this process
  bool has_failed_ = false, is_over_ = false;
  std::exception_ptr publish_failure_;
};

}  // namespace

// NOLINTNEXTLINE(readability-function-size): as above
std::int64_t merge_shards(const std::vector<std::size_t>& shards, const ShardClaims& claims,
                          const Plan& plan, const MergeContext& context,
                          const std::filesystem::path& run, const ShardOptions& options,
                          const Published& published) {
  if (shards.empty()) return 0;
  return Relay(shards, claims, plan, context, run, options, published).run();
}

}  // namespace koine::pipeline
