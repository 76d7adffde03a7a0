#include "pipeline/swept_tensor.hpp"

#include <algorithm>
#include <map>

#include "core/stop.hpp"
#include "methods/parts.hpp"
#include "pipeline/block_sum.hpp"
#include "pipeline/blocks.hpp"
#include "pipeline/kept_factors.hpp"
#include "pipeline/model_budget.hpp"
#include "pipeline/swept_sum.hpp"
#include "pipeline/tensor_reader.hpp"

namespace koine::pipeline {
namespace {

class SweptTensor {
 public:
  SweptTensor(std::size_t tensor, std::span<const SweptMerge> merges, const MergeContext& context,
              SweepScratch& scratch)
      : merges_(merges),
        context_(context),
        scratch_(scratch),
        info_(context.inputs.base.tensors[merges[0].plan->tensors[tensor].index]),
        experts_(context.inputs.experts.size()),
        sums_(distinct_sums(tensor, merges)),
        block_(tensor, merges, scratch) {}

  SweptRows run() {
    sweep_matrix();
    sweep_blocks();
    SweptRows found{std::vector<stats::TensorRow>(merges_.size()), base_squared_};
    for (const SweptSum& sum : sums_) {
      for (const std::size_t merge : sum.merges) {
        found.rows[merge] = sum.row;
        found.rows[merge].model.overflows = block_.overflows(merge);
      }
    }
    return found;
  }

 private:
  /// Expert t's part of a buffer that holds `count` elements of each.
  [[nodiscard]] std::span<float> of_expert(Pool<float>& pool, std::size_t t,
                                           std::int64_t count) const {
    return slice(pool.take(count * static_cast<std::int64_t>(experts_)),
                 static_cast<std::int64_t>(t) * count, count);
  }
  [[nodiscard]] std::span<float> tau(std::size_t t) const {
    return of_expert(scratch_.taus, t, info_.count());
  }
  [[nodiscard]] std::span<float> low(std::size_t t) const {
    return of_expert(scratch_.lows, t, info_.count());
  }

  [[nodiscard]] std::vector<SweptSum*> sums_with(std::initializer_list<Treatment> treatments) {
    std::vector<SweptSum*> found;
    for (SweptSum& sum : sums_) {
      if (std::ranges::find(treatments, sum.treatment()) != treatments.end()) found.push_back(&sum);
    }
    return found;
  }

  /// A selected matrix: all task vectors at once, then one low part after the other.
  void sweep_matrix() {
    std::vector<SweptSum*> left = sums_with({Treatment::pruned});
    if (left.empty()) return;
    TensorReader reader(*left[0]->planned, context_, scratch_.merge);
    const auto raw = reader.read_base(0, info_.count());
    const auto base = scratch_.merge.base.take(info_.count());
    const std::int64_t width = size_of(info_.dtype);
    base_blocks_.clear();
    for_blocks(info_.count(), [&](std::int64_t first, std::int64_t count) {
      base_blocks_.push_back(base_block({info_.dtype, slice(raw, first * width, count * width)},
                                        slice(base, first, count)));
      base_squared_ += base_blocks_.back().squared;
    });
    tau_squares_.clear();
    for (std::size_t t = 0; t < experts_; ++t) {
      throw_if_stopped();
      tau_squares_.push_back(reader.read_task_vector(t, tau(t)).squared);
    }
    while (!left.empty()) {
      const SweptSum& first = *left[0];
      take_low_parts(first, reader);
      std::erase_if(left, [&](SweptSum* sum) {
        if (!sum->has_same_low_part(first)) return false;
        add_up_matrix(*sum);
        return true;
      });
    }
  }

  /// L of every expert, and what is known of it.
  void take_low_parts(const SweptSum& sum, const TensorReader& reader) {
    const StageTimer timer(context_.progress, Stage::prune);
    const methods::Method& method = *sum.merge->method;
    low_rows_.clear();
    thresholds_.clear();
    for (std::size_t t = 0; t < experts_; ++t) {
      throw_if_stopped();
      const auto parameters = prune_parameters(*sum.planned, t, context_, reader);
      const MatrixView matrix{tau(t).data(), info_.shape[0], info_.shape[1]};
      low_rows_.push_back(
          methods::store_low_part(method, matrix, parameters, low(t), scratch_.merge.svd));
    }
  }

  /// Which entries expert t keeps; the same for all sums of one low part and density.
  sparse::Threshold threshold(const SweptSum& sum, std::size_t t) {
    if (!sum.merge->method->keeps_largest()) return {};
    if (sum.merge->budget != nullptr)
      return sum.merge->budget->matrices[sum.planned->index].thresholds[t];
    const double density = sum.planned->parts[t].prune.density;
    const auto [found, is_new] = thresholds_.try_emplace({t, density});
    if (is_new) {
      const StageTimer timer(context_.progress, Stage::prune);
      found->second =
          sparse::kth_largest(tau(t), low(t), sparse::keep_count(info_.count(), density));
    }
    return found->second;
  }

  void add_up_matrix(SweptSum& sum) {
    const bool keeps = sum.merge->method->keeps_largest();
    std::vector<sparse::Threshold> thresholds;
    for (std::size_t t = 0; t < experts_; ++t) {
      thresholds.push_back(threshold(sum, t));
      auto& row = sum.row.experts[t] = low_rows_[t];
      row.tau_squared = tau_squares_[t];
      if (keeps) row.kept = thresholds[t].kept;
    }
    const StageTimer timer(context_.progress, Stage::accumulate);
    for_blocks(info_.count(), [&](std::int64_t first, std::int64_t count) {
      throw_if_stopped();
      block_.start(count);
      for (std::size_t t = 0; t < experts_; ++t) {
        sum.row.experts[t].merged_squared +=
            block_.add(sum.planned->parts[t].weight, part(t, first, count, thresholds[t]));
      }
      block_.finish(sum, base_blocks_[static_cast<std::size_t>(first / kBlock)]);
    });
  }

  /// A block of expert t's M; of `threshold` what is left for the blocks that follow.
  std::span<const float> part(std::size_t t, std::int64_t first, std::int64_t count,
                              sparse::Threshold& threshold) {
    const auto from = slice(low(t), first, count);
    if (threshold.kept == 0) return from;
    const auto m = scratch_.part.take(count);
    sparse::take_kept({slice(tau(t), first, count), from}, m, threshold.key, threshold.ties);
    return m;
  }

  /// What is merged densely, averaged, or the base's own.
  void sweep_blocks() {
    const auto sums = sums_with({Treatment::dense, Treatment::averaged, Treatment::base});
    if (sums.empty()) return;
    const bool needs_experts = !sums_with({Treatment::dense, Treatment::averaged}).empty();
    TensorReader reader(*sums[0]->planned, context_, scratch_.merge);
    base_squared_ = 0;
    for_blocks(info_.count(), [&](std::int64_t first, std::int64_t count) {
      const auto raw = reader.read_base(first, count);
      const BaseBlock base = base_block({info_.dtype, raw}, scratch_.merge.base.take(count));
      base_squared_ += base.squared;
      if (needs_experts) read_block(reader, first, base);
      for (SweptSum* sum : sums) add_up_block(reader, *sum, base);
    });
  }

  /// A block of every expert, as it is stored and as a task vector.
  void read_block(TensorReader& reader, std::int64_t first, const BaseBlock& base) {
    const auto count = static_cast<std::int64_t>(base.values.size());
    stored_.resize(experts_);
    tau_squares_.assign(experts_, 0);
    for (std::size_t t = 0; t < experts_; ++t) {
      const auto bytes = reader.read(t + 1, first, count, scratch_.merge.raw_expert);
      stored_[t].assign(bytes.begin(), bytes.end());
      const StageTimer timer(context_.progress, Stage::task_vector);
      const auto tau = of_expert(scratch_.taus, t, count);
      const auto figures = backend::task_vector({reader.expert(t).dtype, bytes}, base.values, tau);
      tau_squares_[t] = figures.squared;
      if (!figures.is_finite) reader.require_finite(tau, first, t + 1);
    }
  }

  void add_up_block(const TensorReader& reader, SweptSum& sum, const BaseBlock& base) {
    const StageTimer timer(context_.progress, Stage::accumulate);
    const auto count = static_cast<std::int64_t>(base.values.size());
    block_.start(count);
    for (std::size_t t = 0; t < experts_ && sum.treatment() != Treatment::base; ++t) {
      const double weight = sum.planned->parts[t].weight;
      auto& row = sum.row.experts[t];
      row.method = "dense";
      row.kept += count;
      row.tau_squared += tau_squares_[t];
      row.merged_squared += sum.treatment() == Treatment::dense
                                ? block_.add(weight, of_expert(scratch_.taus, t, count))
                                : block_.add_stored(weight, {reader.expert(t).dtype, stored_[t]});
    }
    block_.finish(sum, base);
  }

  std::span<const SweptMerge> merges_;
  const MergeContext& context_;
  SweepScratch& scratch_;
  const checkpoint::TensorInfo& info_;
  std::size_t experts_;
  std::vector<SweptSum> sums_;
  BlockSum block_;
  double base_squared_ = 0;
  std::vector<BaseBlock> base_blocks_;  ///< of a matrix
  std::vector<double> tau_squares_;     ///< by expert, of a matrix or a block
  std::vector<stats::ExpertRow> low_rows_;
  std::map<std::pair<std::size_t, double>, sparse::Threshold> thresholds_;
  std::vector<std::vector<std::byte>> stored_;  ///< by expert, a block's bytes
};

}  // namespace

SweptRows swept_rows(std::size_t tensor, std::span<const SweptMerge> merges,
                     const MergeContext& context, SweepScratch& scratch) {
  return SweptTensor(tensor, merges, context, scratch).run();
}

std::int64_t sweep_scratch_bytes(std::size_t tensor, std::span<const SweptMerge> merges,
                                 const Inputs& inputs) {
  const PlannedTensor& planned = merges[0].plan->tensors[tensor];
  const auto experts = static_cast<std::int64_t>(inputs.experts.size());
  const bool is_whole = std::ranges::any_of(merges, [&](const SweptMerge& merge) {
    return merge.plan->tensors[tensor].treatment == Treatment::pruned;
  });
  const std::int64_t all = inputs.base.tensors[planned.index].count();
  const std::int64_t count = is_whole ? all : std::min(kBlock, all);
  return scratch_bytes(planned, inputs) + 4 * (2 * experts * count + kBlock);
}

}  // namespace koine::pipeline
