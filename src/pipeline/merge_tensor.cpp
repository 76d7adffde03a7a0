#include "pipeline/merge_tensor.hpp"

#include <algorithm>

#include "backend/elementwise.hpp"
#include "backend/to_double.hpp"
#include "pipeline/bad_values.hpp"
#include "pipeline/blocks.hpp"
#include "pipeline/on_device.hpp"
#include "pipeline/pruned_experts.hpp"
#include "pipeline/tensor_reader.hpp"
#include "stats/sums.hpp"

namespace koine::pipeline {
namespace {

using backend::RawSpan;
using checkpoint::TensorInfo;

class TensorMerger {
 public:
  TensorMerger(const PlannedTensor& planned, const MergeContext& context, Scratch& scratch,
               const Sink& sink)
      : planned_(planned),
        context_(context),
        scratch_(scratch),
        sink_(sink),
        reader_(planned, context, scratch),
        tensor_(reader_.base()) {
    outcome_.row.experts.resize(reader_.expert_count());
  }

  TensorOutcome run() {
    if (planned_.treatment == Treatment::copied)
      for_blocks(tensor_.count(), [&](auto f, auto n) { copy_block(f, n); });
    else if (planned_.treatment == Treatment::pruned)
      merge_matrix();
    else
      for_blocks(tensor_.count(), [&](auto f, auto n) { merge_block(f, n); });
    outcome_.fingerprints = reader_.fingerprints();
    outcome_.row.model.nonfinite = reader_.nonfinite();
    stats::clear_nonfinite(outcome_.row);
    return std::move(outcome_);
  }

 private:
  /// Integers and bools are the base's; experts are only compared.
  void copy_block(std::int64_t first, std::int64_t count) {
    const auto base = reader_.read(0, first, count, scratch_.raw_base);
    for (std::size_t t = 0; t < reader_.expert_count(); ++t) {
      const auto other = reader_.read(t + 1, first, count, scratch_.raw_expert);
      if (std::ranges::equal(base, other)) continue;
      const std::string& name = context_.inputs.experts[t].entry.name;
      auto& differing = outcome_.experts_with_other_integers;
      if (std::ranges::find(differing, name) == differing.end()) differing.push_back(name);
    }
    emit(first * size_of(tensor_.dtype), base);
    for (auto& row : outcome_.row.experts) row.method = "base";
  }

  /// A block of a tensor that is merged densely, averaged, or kept as it is in the base.
  void merge_block(std::int64_t first, std::int64_t count) {
    const auto raw = reader_.read_base(first, count);
    const auto sum = scratch_.sum.take(count);
    const auto seen = scratch_.seen.take(count);
    clear(sum, seen);
    for (std::size_t t = 0; t < reader_.expert_count() && planned_.treatment != Treatment::base;
         ++t) {
      const auto raw_expert = reader_.read(t + 1, first, count, scratch_.raw_expert);
      const auto tau = scratch_.tau.take(count);
      auto m = tau;
      bool is_finite = true;
      {
        const StageTimer timer(context_.progress, Stage::task_vector);
        const auto figures = backend::task_vector({reader_.expert(t).dtype, raw_expert},
                                                  scratch_.base.take(count), tau);
        outcome_.row.experts[t].tau_squared += figures.squared;
        is_finite = figures.is_finite;
        if (planned_.treatment == Treatment::averaged) {
          m = scratch_.m.take(count);
          backend::widen({reader_.expert(t).dtype, raw_expert}, m);
          is_finite = false;  // not known of the widened values
        }
        if (!is_finite) reader_.require_finite(m, first, t + 1);
      }
      auto& row = outcome_.row.experts[t];
      row.method = "dense";
      row.kept += count;
      if (planned_.treatment == Treatment::averaged)
        add_stored(t, raw_expert, m, sum, seen);
      else
        take_part(t, m, sum, seen);
    }
    if (planned_.treatment == Treatment::base) {
      for (auto& row : outcome_.row.experts) row.method = "base";
    }
    finish_block(first, raw, scratch_.base.take(count), sum, seen);
  }

  /// A selected matrix: whole, a few experts after the other. A block of the sum begins, grows and
  /// ends while it is in cache.
  void merge_matrix() {
    const std::int64_t count = tensor_.count(), width = size_of(tensor_.dtype);
    const auto raw = reader_.read_base(0, count);
    const std::span<const float> base = scratch_.base.take(count);
    const auto sum = scratch_.sum.take(count);
    const auto seen = scratch_.seen.take(count);
    const std::size_t experts = reader_.expert_count();
    PrunedExperts pruned(planned_, context_, scratch_, reader_, outcome_.row.experts);
    for (std::size_t first = 0, end = 0; first < experts; first = end) {
      end = std::min(first + static_cast<std::size_t>(kTogether), experts);
      pruned.prune(first, end);
      for_blocks(count, [&](auto f, auto n) {
        const auto sum_here = slice(sum, f, n);
        const auto seen_here = slice(seen, f, n);
        if (first == 0) clear(sum_here, seen_here);
        pruned.add_block(f, sum_here, seen_here);
        if (end < experts) return;
        finish_block(f, slice(raw, f * width, n * width), slice(base, f, n), sum_here, seen_here);
      });
    }
  }

  static void clear(std::span<double> sum, std::span<std::uint8_t> seen) {
    std::ranges::fill(sum, 0.0);
    std::ranges::fill(seen, std::uint8_t{0});
  }

  /// sum += weight * double(M), and the figures of this block of M.
  void take_part(std::size_t t, std::span<const float> m, std::span<double> sum,
                 std::span<std::uint8_t> seen) {
    const StageTimer timer(context_.progress, Stage::accumulate);
    outcome_.row.experts[t].merged_squared +=
        backend::take_part(planned_.parts[t].weight, m, sum, seen);
  }

  /// sum += weight * double(W_t), exact for every type; m is W_t in float32, for the figures.
  void add_stored(std::size_t t, std::span<const std::byte> raw, std::span<const float> m,
                  std::span<double> sum, std::span<std::uint8_t> seen) {
    const StageTimer timer(context_.progress, Stage::accumulate);
    outcome_.row.experts[t].merged_squared += backend::note_part(m, seen);
    const auto values = scratch_.difference.take(static_cast<std::int64_t>(sum.size()));
    backend::to_double({reader_.expert(t).dtype, raw}, values);
    const double weight = planned_.parts[t].weight;
    for (std::size_t i = 0; i < sum.size(); ++i) {
      const double product = weight * values[i];
      sum[i] += product;
    }
  }

  /// Turns a block's sum into the result, rounds it once and hands it over.
  void finish_block(std::int64_t first, std::span<const std::byte> raw, std::span<const float> base,
                    std::span<double> sum, std::span<const std::uint8_t> seen) {
    const auto out =
        scratch_.out.take(static_cast<std::int64_t>(sum.size()) * size_of(planned_.out_dtype));
    {
      const StageTimer timer(context_.progress, Stage::round);
      if (planned_.divisor != 0) {
        for (double& value : sum) value /= planned_.divisor;
      }
      count_delta(base, sum);
      stats::count_signs(seen, outcome_.row.model);
      if (planned_.treatment != Treatment::averaged)
        backend::add_to_base({tensor_.dtype, raw}, planned_.lambda, sum);
      const std::int64_t overflows = backend::round_to(planned_.out_dtype, sum, out);
      outcome_.row.model.overflows += overflows;
      if (overflows > 0 && !context_.allow_nonfinite)
        throw_overflow(tensor_.name, planned_.out_dtype, first, sum);
    }
    emit(first * size_of(planned_.out_dtype), out);
  }

  /// <W_0, D> and |D|^2; for an average D is what it differs from the base.
  void count_delta(std::span<const float> base, std::span<const double> sum) {
    std::span<const double> delta = sum;
    if (planned_.treatment == Treatment::averaged) {
      const auto difference = scratch_.difference.take(static_cast<std::int64_t>(sum.size()));
      for (std::size_t i = 0; i < sum.size(); ++i)
        difference[i] = sum[i] - static_cast<double>(base[i]);
      delta = difference;
    }
    const backend::DeltaSums sums = backend::delta_sums(base, delta);
    outcome_.row.model.base_dot_delta += sums.base_dot_delta;
    outcome_.row.model.delta_squared += sums.delta_squared;
  }

  void emit(std::int64_t offset, std::span<const std::byte> bytes) {
    const StageTimer timer(context_.progress, Stage::write);
    sink_(offset, bytes);
    context_.progress.bytes += static_cast<std::int64_t>(bytes.size());
  }

  const PlannedTensor& planned_;
  const MergeContext& context_;
  Scratch& scratch_;
  const Sink& sink_;
  TensorReader reader_;
  const TensorInfo& tensor_;
  TensorOutcome outcome_;
};

}  // namespace

TensorOutcome merge_tensor(const PlannedTensor& planned, const MergeContext& context,
                           Scratch& scratch, const Sink& sink) {
  TensorOutcome outcome = TensorMerger(planned, context, scratch, sink).run();
  ++context.progress.tensors;
  return outcome;
}

std::vector<TensorOutcome> merge_tensors(std::span<const ToMerge> group,
                                         const MergeContext& context, Scratch& scratch) {
  std::vector<std::optional<TensorOutcome>> on_device(group.size());
  if (is_for_device(*group.front().planned, context))
    on_device = merge_on_device(group, context, scratch);
  std::vector<TensorOutcome> outcomes;
  outcomes.reserve(group.size());
  for (std::size_t i = 0; i < group.size(); ++i) {
    std::optional<TensorOutcome>& found = on_device[i];
    if (found.has_value()) {
      outcomes.push_back(std::move(*found));
    } else {
      outcomes.push_back(merge_tensor(*group[i].planned, context, scratch, group[i].sink));
    }
  }
  return outcomes;
}

}  // namespace koine::pipeline
