#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "backend/lane_pool.hpp"
#include "core/pool.hpp"
#include "lowrank/truncated_svd.hpp"
#include "pipeline/plan.hpp"
#include "pipeline/progress.hpp"
#include "stats/rows.hpp"

namespace koine::pipeline {

/// Buffers of one thread; they grow to the largest tensor seen and are used again, for as long as
/// the merge lasts.
struct Scratch {
  Pool<std::byte> raw_base, raw_expert, out;
  Pool<float> base, tau, m, kept;
  Pool<double> sum, difference;
  Pool<std::uint8_t> seen;
  lowrank::Workspace svd;
};

class KeptFactors;
struct ModelBudget;

/// What all tensors of a run share.
struct MergeContext {
  const Inputs& inputs;
  const std::vector<checkpoint::Source>& sources;  ///< base, then experts
  const methods::Method& method;
  bool allow_nonfinite = false;
  Progress& progress;
  const KeptFactors* factors = nullptr;  ///< where factors are kept; null: they are not
  const ModelBudget* budget = nullptr;   ///< density_over: model; null: the density decides
  backend::LanePool* lanes = nullptr;    ///< of the GPU; null: all arithmetic on the CPU
};

struct TensorOutcome {
  stats::TensorRow row;
  std::vector<std::string> fingerprints;  ///< XXH3-128 of the base's bytes, then of each expert's
  std::vector<std::string> experts_with_other_integers;
};

/// Receives the result's bytes in order of the file.
using Sink = std::function<void(std::int64_t offset, std::span<const std::byte> bytes)>;

/// Reads one tensor of every model, merges it on the CPU, hands the rounded bytes to `sink`. The
/// bytes depend on the inputs and the planned tensor alone. Local; memory: scratch_bytes, whatever
/// the number of experts.
/// @throws InputError for a value that is not finite or overflows the output's type (unless
/// allow_nonfinite)
[[nodiscard]] TensorOutcome merge_tensor(const PlannedTensor& planned, const MergeContext& context,
                                         Scratch& scratch, const Sink& sink);

/// A tensor, and where its bytes go.
struct ToMerge {
  const PlannedTensor* planned;
  Sink sink;
};

/// The same of several tensors: those for which is_for_device holds, of one shape, on the GPU; else
/// one.  @throws as merge_tensor, DeviceError
[[nodiscard]] std::vector<TensorOutcome> merge_tensors(std::span<const ToMerge> group,
                                                       const MergeContext& context,
                                                       Scratch& scratch);

/// Starts reading what merge_tensor reads first: the base's and the first expert's bytes (of a
/// tensor that is merged block by block, the first block). Advice; the page cache's memory alone.
/// @pre there is an expert
void will_merge(const PlannedTensor& planned, const MergeContext& context) noexcept;

/// The fingerprints alone: reads the inputs of one tensor.
[[nodiscard]] std::vector<std::string> fingerprints_of(const PlannedTensor& planned,
                                                       const MergeContext& context,
                                                       Scratch& scratch);

/// Bytes of Scratch that merge_tensor grows to.
[[nodiscard]] std::int64_t scratch_bytes(const PlannedTensor& planned, const Inputs& inputs);

}  // namespace koine::pipeline
