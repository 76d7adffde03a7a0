#include "pipeline/point_id.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/hash.hpp"
#include "sparse/keep_largest.hpp"

namespace koine::pipeline {
namespace {

std::string svd_text(const lowrank::SvdOptions& svd) {
  return fmt::format("{} {}", static_cast<int>(svd.mode), svd.tolerance);
}

/// M of one expert: "all" where it is tau.
std::string part_text(const Plan& plan, const methods::Method& method,
                      const methods::PruneParameters& prune, const checkpoint::TensorInfo& tensor) {
  const std::int64_t full = std::min(tensor.shape[0], tensor.shape[1]);
  const bool by_energy = prune.rank.energy > 0;
  const bool has_low_part = method.name() != "mp";
  const std::int64_t rank = has_low_part && !by_energy ? prune.rank.number.kept : 0;
  std::int64_t kept = 0;
  if (method.keeps_largest()) kept = sparse::keep_count(tensor.count(), prune.density);
  // One budget goes over all matrices: each of them counts, whatever becomes of it.
  const bool is_shared = !plan.densities.empty();
  if (!is_shared && (kept == tensor.count() || rank >= full)) return "all";
  std::string text = fmt::format("rank {}", rank);
  if (has_low_part && by_energy) text = fmt::format("energy {}", prune.rank.energy);
  if (has_low_part && (by_energy || rank > 0)) text += " svd " + svd_text(prune.svd);
  return text + (is_shared ? fmt::format(" of the model {}", prune.density)
                           : fmt::format(" kept {}", kept));
}

std::string tensor_text(const Plan& plan, const PlannedTensor& planned,
                        const methods::Method& method, const Inputs& inputs) {
  const checkpoint::TensorInfo& tensor = inputs.base.tensors[planned.index];
  if (planned.treatment == Treatment::copied) return "copied\n";
  std::string text(recipe_name(planned.out_dtype));
  const bool is_average = planned.treatment == Treatment::averaged;
  const bool is_shared = planned.treatment == Treatment::pruned && !plan.densities.empty();
  if (planned.treatment == Treatment::base || (!is_average && !is_shared && planned.lambda == 0))
    return text + " base\n";
  text += is_average ? " average" : fmt::format(" lambda {}", planned.lambda);
  text += fmt::format(" divisor {}", planned.divisor);
  for (std::size_t t = 0; t < planned.parts.size(); ++t) {
    const TensorPart& part = planned.parts[t];
    const bool is_pruned = planned.treatment == Treatment::pruned;
    text += fmt::format(", {} {}", part.weight,
                        is_pruned ? part_text(plan, method, part.prune, tensor) : "all");
  }
  return text + "\n";
}

}  // namespace

std::string digest_of(const Plan& plan, const methods::Method& method, const Inputs& inputs,
                      const std::string& contents) {
  std::string text = "koine-point-1\n" + contents + "\n";
  for (const PlannedTensor& planned : plan.tensors)
    text += tensor_text(plan, planned, method, inputs);
  return sha256_of(text);
}

}  // namespace koine::pipeline
