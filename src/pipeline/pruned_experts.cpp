#include "pipeline/pruned_experts.hpp"

#include <algorithm>
#include <utility>

#include "backend/elementwise.hpp"
#include "core/stop.hpp"
#include "methods/parts.hpp"
#include "pipeline/blocks.hpp"
#include "pipeline/kept_factors.hpp"
#include "pipeline/model_budget.hpp"
#include "pipeline/on_device.hpp"

namespace koine::pipeline {

void PrunedExperts::prune(std::size_t first, std::size_t end) {
  const std::int64_t count = reader_.base().count();
  const auto together = experts_together(static_cast<std::int64_t>(reader_.expert_count()));
  const auto taus = scratch_.tau.take(together * count);
  first_ = first;
  parts_.clear();
  for (std::size_t t = first; t < end; ++t) {
    throw_if_stopped();
    const auto at = static_cast<std::int64_t>(t - first) * count;
    parts_.emplace_back().tau = slice(taus, at, count);
    prune_one(t, parts_.back());
  }
}

void PrunedExperts::prune_one(std::size_t expert, Part& part) {
  const auto figures = reader_.read_task_vector(expert, part.tau);
  const StageTimer timer(context_.progress, Stage::prune);
  auto parameters = prune_parameters(planned_, expert, context_, reader_);
  parameters.tau_squared = figures.squared;
  if (context_.budget != nullptr)
    parameters.threshold = threshold_of(*context_.budget, planned_, reader_, expert);
  stats::ExpertRow& row = rows_[expert];
  const Shape& shape = reader_.base().shape;
  const MatrixView tau{part.tau.data(), shape[0], shape[1]};
  if (figures.is_finite) {
    part.low = context_.method.low_part(tau, parameters, scratch_.svd, row);
    if (context_.method.keeps_largest())
      part.largest = methods::find_largest(part.low, parameters, row);
    if (context_.factors == nullptr && is_factorised(row)) ++context_.progress.matrices;
  } else {  // --allow-nonfinite: such a matrix has no SVD and is merged densely
    part.low = methods::LowPart::whole(tau);
    row.method = "dense";
    row.kept = static_cast<std::int64_t>(part.tau.size());
  }
  row.tau_squared = figures.squared;
}

std::int64_t PrunedExperts::piece_at(std::int64_t at, std::int64_t count) {
  static_assert(kPiece % kLanes == 0);
  const StageTimer timer(context_.progress, Stage::accumulate);
  std::int64_t length = std::min(kPiece, count);
  for (Part& part : parts_) {
    part.strip = part.low.from(at);
    length = std::min(length, static_cast<std::int64_t>(part.strip.size()));
  }
  return length;
}

void PrunedExperts::add_piece(std::int64_t at, std::span<double> sum,
                              std::span<std::uint8_t> seen) {
  const StageTimer timer(context_.progress, Stage::accumulate);
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const auto m = merged(parts_[i], at, parts_[i].strip.first(sum.size()));
    backend::take_next_part(planned_.parts[first_ + i].weight, m, sum, seen, parts_[i].squares);
  }
}

void PrunedExperts::end_block() {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    Part& part = parts_[i];
    stats::ExpertRow& row = rows_[first_ + i];
    row.merged_squared += std::exchange(part.squares, {}).total();
    if (part.low.product() != nullptr) row.low_squared = part.low.squared();
  }
}

std::span<const float> PrunedExperts::merged(Part& part, std::int64_t first,
                                             std::span<const float> low) {
  if (part.largest.kept == 0) return low;
  const auto count = static_cast<std::int64_t>(low.size());
  const auto m = scratch_.kept.take(count);
  sparse::take_kept({slice(part.tau, first, count), low}, m, part.largest.key, part.largest.ties);
  return m;
}

}  // namespace koine::pipeline
