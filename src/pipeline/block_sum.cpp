#include "pipeline/block_sum.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "backend/to_double.hpp"
#include "stats/sums.hpp"

namespace koine::pipeline {
namespace {

/// Below it no value of an output type overflows.
double largest_of(DType dtype) {
  switch (dtype) {
    case DType::f16:
      return 65504;
    case DType::f64:
      return std::numeric_limits<double>::max();
    default:
      return 3.3e38;  // float32 and bfloat16
  }
}

}  // namespace

BaseBlock base_block(backend::RawSpan raw, std::span<const float> values) {
  float largest = 0;
  for (const float value : values) largest = std::max(largest, std::fabs(value));
  return {raw, values, static_cast<double>(largest), backend::sum_of_squares(values)};
}

void BlockSum::start(std::int64_t count) {
  sum_ = scratch_.merge.sum.take(count);
  seen_ = scratch_.merge.seen.take(count);
  std::ranges::fill(sum_, 0.0);
  std::ranges::fill(seen_, std::uint8_t{0});
}

double BlockSum::add(double weight, std::span<const float> m) {
  return backend::take_part(weight, m, sum_, seen_);
}

double BlockSum::add_stored(double weight, const backend::RawSpan& stored) {
  const auto count = static_cast<std::int64_t>(sum_.size());
  const auto m = scratch_.part.take(count);
  backend::widen(stored, m);
  const auto values = scratch_.merge.difference.take(count);
  backend::to_double(stored, values);
  for (std::size_t i = 0; i < sum_.size(); ++i) {
    const double product = weight * values[i];
    sum_[i] += product;
  }
  return backend::note_part(m, seen_);
}

void BlockSum::finish(SweptSum& sum, const BaseBlock& base) {
  if (sum.planned->divisor != 0) {
    for (double& value : sum_) value /= sum.planned->divisor;
  }
  std::span<const double> delta = sum_;
  if (sum.treatment() == Treatment::averaged) {
    const auto difference = scratch_.merge.difference.take(static_cast<std::int64_t>(sum_.size()));
    for (std::size_t i = 0; i < sum_.size(); ++i)
      difference[i] = sum_[i] - static_cast<double>(base.values[i]);
    delta = difference;
  }
  const backend::DeltaSums sums = backend::delta_sums(base.values, delta);
  sum.row.model.base_dot_delta += sums.base_dot_delta;
  sum.row.model.delta_squared += sums.delta_squared;
  stats::count_signs(seen_, sum.row.model);
  for (const std::size_t merge : sum.merges) count_overflows(merge, base, sums.delta_squared);
}

/// Rounds only where a value could be too large for the output's type.
void BlockSum::count_overflows(std::size_t merge, const BaseBlock& base, double delta_squared) {
  const PlannedTensor& planned = merges_[merge].plan->tensors[tensor_];
  const bool is_average = planned.treatment == Treatment::averaged;
  const double lambda = is_average ? 1 : std::fabs(planned.lambda);
  if (base.largest + lambda * std::sqrt(delta_squared) < largest_of(planned.out_dtype)) return;
  const auto count = static_cast<std::int64_t>(sum_.size());
  const auto values = scratch_.merge.difference.take(count);
  std::ranges::copy(sum_, values.begin());
  if (!is_average) backend::add_to_base(base.raw, planned.lambda, values);
  const auto out = scratch_.merge.out.take(count * size_of(planned.out_dtype));
  overflows_[merge] += backend::round_to(planned.out_dtype, values, out);
}

std::int64_t BlockSum::overflows(std::size_t merge) const {
  const auto found = overflows_.find(merge);
  return found == overflows_.end() ? 0 : found->second;
}

}  // namespace koine::pipeline
