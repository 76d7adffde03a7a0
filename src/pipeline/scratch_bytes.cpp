#include <algorithm>

#include "lowrank/krylov.hpp"
#include "lowrank/product.hpp"
#include "pipeline/blocks.hpp"
#include "pipeline/merge_tensor.hpp"
#include "pipeline/pruned_experts.hpp"

namespace koine::pipeline {
namespace {

/// Of a Krylov space (krylov.hpp): its basis, H, and what one step needs.
std::int64_t space_doubles(std::int64_t shorter, std::int64_t rung) {
  if (!lowrank::prefers_krylov(shorter, rung)) return 0;
  const std::int64_t limit = lowrank::basis_limit(shorter, rung + 1);
  return shorter * (limit + rung) + limit * limit + 2 * limit * rung;
}

/// Of an expert's L while it is added up: factors, the right one once more in tiles, and a strip.
std::int64_t low_part_bytes(const Shape& shape, std::int64_t rung) {
  const std::int64_t cols = shape[1], strip = lowrank::ProductRows::best_rows(rung, cols) * cols;
  return 4 * (rung * (shape[0] + 2 * cols) + strip);
}

}  // namespace

std::int64_t scratch_bytes(const PlannedTensor& planned, const Inputs& inputs) {
  const checkpoint::TensorInfo& tensor = inputs.base.tensors[planned.index];
  const bool is_whole = planned.treatment == Treatment::pruned;
  const std::int64_t count = is_whole ? tensor.count() : std::min(kBlock, tensor.count());
  std::int64_t expert_width = 0;
  for (const Expert& expert : inputs.experts) {
    expert_width = std::max(expert_width, size_of(expert.tensors[planned.index].dtype));
  }
  const auto experts = static_cast<std::int64_t>(inputs.experts.size());
  const std::int64_t together = is_whole ? experts_together(experts) : 1;
  const bool has_sum = !is_whole || together < experts;
  const std::int64_t raw = tensor.dtype == DType::f32 ? 0 : size_of(tensor.dtype);
  const std::int64_t floats =  // base; tau, m; sum, signs
      4 + (is_whole ? 4 * together : 4 + 4) + (has_sum ? 8 + 1 : 0);
  std::int64_t bytes =
      count * (raw + floats) + std::min(kBlock, count) * expert_width + kBlock * (8 + 8);
  if (is_whole) {
    const std::int64_t shorter = std::min(tensor.shape[0], tensor.shape[1]);
    const std::int64_t longer = std::max(tensor.shape[0], tensor.shape[1]);
    constexpr std::int64_t kPanel = 512, kMatrices = 2, kRung = 129;
    std::int64_t rung = 0;  // U and B of a rung, the factors cut from it, and their file
    bool is_proved = false;
    for (std::size_t t = 0; t < planned.parts.size(); ++t) {
      const methods::PruneParameters& prune = planned.parts[t].prune;
      const lowrank::RankTarget& rank = prune.rank;
      const std::int64_t kept = rank.energy > 0 ? kRung - 1 : rank.number.kept;
      if (kept < shorter) rung = std::max(rung, lowrank::rung_of(kept, shorter));
      is_proved = is_proved || prune.svd.mode == lowrank::Mode::certified;
    }
    constexpr std::int64_t kPairs = 3, kFloat = 4, kStripRows = 16;
    if (!is_transposed(tensor.shape[0], tensor.shape[1])) {
      bytes += kFloat * count;
    } else if (is_proved) {
      bytes += kFloat / 2 * count;
    }
    const std::int64_t square = shorter * shorter;
    const std::int64_t space = space_doubles(shorter, rung);
    if (is_proved)  // a strip; G of integers, and another space with it
      bytes += kFloat * (kStripRows * longer + square) + 8 * space;
    bytes += kPairs * kFloat * rung * (shorter + longer);
    bytes += together * low_part_bytes(tensor.shape, rung);
    bytes += 8 * (kMatrices * square + std::max(space, square) + kPanel * shorter +
                  kRung * (shorter + longer));
  }
  return bytes;
}

}  // namespace koine::pipeline
