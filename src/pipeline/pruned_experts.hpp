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

/// So few experts of a matrix are all pruned before any is added: their sum never lies in memory.
inline constexpr std::int64_t kAllAtOnce = 5;
/// Of more, so many are added up in one pass over a sum that does: about as much memory.
inline constexpr std::int64_t kTogether = 3;

/// Experts whose parts are added up in one pass.
[[nodiscard]] constexpr std::int64_t experts_together(std::int64_t experts) noexcept {
  return experts <= kAllAtOnce ? experts : kTogether;
}

/// Elements of a piece, at most: stays in the first cache from one expert to the next.
inline constexpr std::int64_t kPiece = 2048;

/// The pruned task vectors of a selected matrix, a few experts at a time. M itself is made piece by
/// piece on its way into the sum, and never lies in memory.
class PrunedExperts {
 public:
  /// Keeps references; `rows` are the experts' figures, added to.
  PrunedExperts(const PlannedTensor& planned, const MergeContext& context, Scratch& scratch,
                TensorReader& reader, std::span<stats::ExpertRow> rows)
      : planned_(planned), context_(context), scratch_(scratch), reader_(reader), rows_(rows) {}

  /// Reads and prunes experts [first, end), experts_together at most, in place of those before.
  void prune(std::size_t first, std::size_t end);

  /// How many of `count` elements from `at` on are best added together. Makes what is there of L.
  /// @pre the elements before `at` were added up
  [[nodiscard]] std::int64_t piece_at(std::int64_t at, std::int64_t count);
  /// sum += weight * double(M) of these experts, in recipe order, and their figures, from element
  /// `at` on.  @pre sum.size() is what piece_at said
  void add_piece(std::int64_t at, std::span<double> sum, std::span<std::uint8_t> seen);
  /// The figures of the pieces since the last block are a block's.
  void end_block();

 private:
  /// M: low, with the entries of tau that `largest` still names.
  struct Part {
    std::span<float> tau;
    methods::LowPart low;
    sparse::Threshold largest;
    std::span<const float> strip;  ///< of low, from where piece_at was asked
    backend::SquareSum squares;    ///< of M in this block
  };

  void prune_one(std::size_t expert, Part& part);
  [[nodiscard]] std::span<const float> merged(Part& part, std::int64_t first,
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
