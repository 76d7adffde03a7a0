#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "pipeline/merge_tensor.hpp"

namespace koine::pipeline {

/// One of many merges of the same inputs.
struct SweptMerge {
  const Plan* plan = nullptr;
  const methods::Method* method = nullptr;
  const ModelBudget* budget = nullptr;  ///< density_over: model; null: the density decides
};

/// Buffers of one thread.
struct SweepScratch {
  Scratch merge;
  Pool<float> taus, lows, part;  ///< [experts, tensor], [experts, tensor], [block]
};

struct SweptRows {
  std::vector<stats::TensorRow> rows;  ///< by merge
  double base_squared = 0;             ///< |W_0|^2; 0 where the tensor is only copied
};

/// The figures that the totals of report.json would add up of this tensor after each of the merges,
/// bit for bit, without their results: inputs are read once, factors are made once for each rank,
/// and a block's sum never leaves the cache. context.method and context.budget are not used. Local.
/// Memory: sweep_scratch_bytes. Cost: one factorisation per rung, a product per rank, a search per
/// rank and density, and 8 bytes per element, expert and distinct sum.
/// @throws InputError for a value that is not finite
[[nodiscard]] SweptRows swept_rows(std::size_t tensor, std::span<const SweptMerge> merges,
                                   const MergeContext& context, SweepScratch& scratch);

/// Bytes of SweepScratch that swept_rows grows to.
[[nodiscard]] std::int64_t sweep_scratch_bytes(std::size_t tensor,
                                               std::span<const SweptMerge> merges,
                                               const Inputs& inputs);

}  // namespace koine::pipeline
