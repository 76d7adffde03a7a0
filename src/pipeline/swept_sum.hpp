#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "pipeline/swept_tensor.hpp"

namespace koine::pipeline {

/// Whether every expert's factors are the same in both.
[[nodiscard]] bool has_same_ranks(const PlannedTensor& a, const PlannedTensor& b);

/// A sum over the experts that one or more of the merges share in a tensor; they may scale it
/// differently.
struct SweptSum {
  const PlannedTensor* planned = nullptr;  ///< of the first of them
  const SweptMerge* merge = nullptr;
  std::vector<std::size_t> merges;  ///< all of them
  stats::TensorRow row;             ///< figures so far, without overflows

  [[nodiscard]] Treatment treatment() const noexcept { return planned->treatment; }
  /// Whether every expert's L is the other's. @pre both are pruned
  [[nodiscard]] bool has_same_low_part(const SweptSum& other) const;
};

/// What the merges make of a tensor, each sum once.
[[nodiscard]] std::vector<SweptSum> distinct_sums(std::size_t tensor,
                                                  std::span<const SweptMerge> merges);

}  // namespace koine::pipeline
