#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <vector>

#include "backend/elementwise.hpp"
#include "pipeline/swept_sum.hpp"

namespace koine::pipeline {

/// A block of the base.
struct BaseBlock {
  backend::RawSpan raw;
  std::span<const float> values;
  double largest = 0;  ///< magnitude of a value
  double squared = 0;  ///< sum of the values' squares
};
[[nodiscard]] BaseBlock base_block(backend::RawSpan raw, std::span<const float> values);

/// The sum of one block after the other, as merge_tensor makes it, and what is noted of it.
class BlockSum {
 public:
  BlockSum(std::size_t tensor, std::span<const SweptMerge> merges, SweepScratch& scratch)
      : tensor_(tensor), merges_(merges), scratch_(scratch) {}

  void start(std::int64_t count);
  /// sum += weight * double(m); returns |m|^2.
  [[nodiscard]] double add(double weight, std::span<const float> m);
  /// sum += weight * double(W); returns |float32(W)|^2.
  [[nodiscard]] double add_stored(double weight, const backend::RawSpan& stored);
  /// The block is complete: its figures are added to the sum's.
  void finish(SweptSum& sum, const BaseBlock& base);

  /// Values that became infinite in a merge's result.
  [[nodiscard]] std::int64_t overflows(std::size_t merge) const;

 private:
  void count_overflows(std::size_t merge, const BaseBlock& base, double delta_squared);

  std::size_t tensor_;
  std::span<const SweptMerge> merges_;
  SweepScratch& scratch_;
  std::span<double> sum_;
  std::span<std::uint8_t> seen_;
  std::map<std::size_t, std::int64_t> overflows_;  ///< by merge
};

}  // namespace koine::pipeline
