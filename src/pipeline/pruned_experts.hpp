#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "methods/low_part.hpp"
#include "pipeline/merge_tensor.hpp"
#include "pipeline/tensor_reader.hpp"
#include "sparse/keep_largest.hpp"

namespace koine::pipeline {

/// Experts whose parts of a matrix are added up in one pass over its sum.
inline constexpr std::int64_t kTogether = 5;

/// The pruned task vectors of a selected matrix, a few experts at a time. M itself is made piece by
/// piece on its way into the sum, and never lies in memory.
class PrunedExperts {
 public:
  /// Keeps references; `rows` are the experts' figures, added to.
  PrunedExperts(const PlannedTensor& planned, const MergeContext& context, Scratch& scratch,
                TensorReader& reader, std::span<stats::ExpertRow> rows)
      : planned_(planned), context_(context), scratch_(scratch), reader_(reader), rows_(rows) {}

  /// Reads and prunes experts [first, end), kTogether at most, in place of those before.
  void prune(std::size_t first, std::size_t end);

  /// sum += weight * double(M) of these experts, in recipe order, and their figures, of the block
  /// of the matrix that begins at element `at`.  @pre the blocks before it were added up
  void add_block(std::int64_t at, std::span<double> sum, std::span<std::uint8_t> seen);

 private:
  /// M: low, with the entries of tau that `largest` still names.
  struct Part {
    std::span<float> tau;
    methods::LowPart low;
    sparse::Threshold largest;
  };

  void prune_one(std::size_t expert, Part& part);
  [[nodiscard]] std::span<const float> piece_of(Part& part, std::int64_t first,
                                                std::span<const float> low);

  const PlannedTensor& planned_;
  const MergeContext& context_;
  Scratch& scratch_;
  TensorReader& reader_;
  std::span<stats::ExpertRow> rows_;
  std::size_t first_ = 0;
  std::vector<Part> parts_;
};

}  // namespace koine::pipeline
