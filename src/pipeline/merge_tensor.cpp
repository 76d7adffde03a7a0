#include "pipeline/merge_tensor.hpp"

#include <algorithm>

#include "backend/elementwise.hpp"
#include "backend/to_double.hpp"
#include "pipeline/bad_values.hpp"
#include "pipeline/blocks.hpp"
#include "pipeline/on_device.hpp"
#include "pipeline/pruned_experts.hpp"
#include "pipeline/result_block.hpp"
#include "pipeline/tensor_reader.hpp"

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
        tensor_(reader_.base()),
        result_(planned, tensor_, context, scratch, outcome_.row.model) {
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
    result_.begin(first, count);
    result_.finish({raw, scratch_.base.take(count)}, sum, seen);
    emit(first * size_of(planned_.out_dtype), result_.end());
  }

  /// A selected matrix: whole, a few experts after the other.
  void merge_matrix() {
    const std::size_t experts = reader_.expert_count();
    matrix_raw_ = reader_.read_base(0, tensor_.count());
    PrunedExperts pruned(planned_, context_, scratch_, reader_, outcome_.row.experts);
    const auto together =
        static_cast<std::size_t>(experts_together(static_cast<std::int64_t>(experts)));
    for (std::size_t first = 0, end = 0; first < experts; first = end) {
      end = std::min(first + together, experts);
      pruned.prune(first, end);
      for_blocks(tensor_.count(),
                 [&](auto f, auto n) { add_block(pruned, f, n, first == 0, end == experts); });
    }
  }

  /// A piece of the sum begins, grows and ends while it is in the first cache; between experts that
  /// were not pruned together it lies in memory.
  void add_block(PrunedExperts& pruned, std::int64_t first, std::int64_t count, bool begins,
                 bool ends) {
    const bool is_stored = !begins || !ends;
    const std::int64_t room = is_stored ? tensor_.count() : kPiece;
    const auto sums = scratch_.sum.take(room);
    const auto signs = scratch_.seen.take(room);
    if (ends) result_.begin(first, count);
    for (std::int64_t at = first, n = 0; at < first + count; at += n) {
      n = pruned.piece_at(at, first + count - at);
      const auto sum = slice(sums, is_stored ? at : 0, n);
      const auto seen = slice(signs, is_stored ? at : 0, n);
      if (begins) clear(sum, seen);
      pruned.add_piece(at, sum, seen);
      if (ends) result_.finish(base_piece(at, n), sum, seen);
    }
    pruned.end_block();
    if (ends) emit(first * size_of(planned_.out_dtype), result_.end());
  }

  [[nodiscard]] ResultBlock::Base base_piece(std::int64_t first, std::int64_t count) {
    const std::int64_t width = size_of(tensor_.dtype);
    return {slice(matrix_raw_, first * width, count * width),
            slice(scratch_.base.take(tensor_.count()), first, count)};
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
  ResultBlock result_;                     ///< adds to outcome_
  std::span<const std::byte> matrix_raw_;  ///< the base of a selected matrix
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
