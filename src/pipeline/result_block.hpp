#pragma once

#include <cstdint>
#include <span>

#include "backend/elementwise.hpp"
#include "pipeline/merge_tensor.hpp"

namespace koine::pipeline {

/// The end of a block's sum: divided, added to the base, rounded once, and what is noted of it, one
/// piece after the other. Keeps references; adds to `row`.
class ResultBlock {
 public:
  ResultBlock(const PlannedTensor& planned, const checkpoint::TensorInfo& tensor,
              const MergeContext& context, Scratch& scratch, stats::ModelRow& row)
      : planned_(planned), tensor_(tensor), context_(context), scratch_(scratch), row_(row) {}

  /// Elements [first, first + count) of the tensor.
  void begin(std::int64_t first, std::int64_t count);

  /// A piece of the base, as stored and widened.
  struct Base {
    std::span<const std::byte> raw;
    std::span<const float> values;
  };
  /// The next elements; `sum` is used up. All pieces but the last have a multiple of kLanes.
  /// @throws InputError for a value that overflows, unless --allow-nonfinite was given
  void finish(const Base& base, std::span<double> sum, std::span<const std::uint8_t> seen);

  /// Their bytes, valid until `begin`.  @pre all of the block was finished
  [[nodiscard]] std::span<const std::byte> end();

 private:
  void add_delta(std::span<const float> base, std::span<const double> sum);

  const PlannedTensor& planned_;
  const checkpoint::TensorInfo& tensor_;
  const MergeContext& context_;
  Scratch& scratch_;
  stats::ModelRow& row_;
  std::int64_t first_ = 0, done_ = 0;
  std::span<std::byte> out_;
  backend::DeltaSum delta_;
};

}  // namespace koine::pipeline
