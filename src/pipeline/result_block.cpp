#include "pipeline/result_block.hpp"

#include "pipeline/bad_values.hpp"
#include "pipeline/blocks.hpp"
#include "stats/sums.hpp"

namespace koine::pipeline {

void ResultBlock::begin(std::int64_t first, std::int64_t count) {
  first_ = first;
  done_ = 0;
  out_ = scratch_.out.take(count * size_of(planned_.out_dtype));
  delta_ = {};
}

void ResultBlock::finish(const Base& base, std::span<double> sum,
                         std::span<const std::uint8_t> seen) {
  const StageTimer timer(context_.progress, Stage::round);
  const auto count = static_cast<std::int64_t>(sum.size());
  const std::int64_t width = size_of(planned_.out_dtype);
  if (planned_.divisor != 0) {
    for (double& value : sum) value /= planned_.divisor;
  }
  add_delta(base.values, sum);
  stats::count_signs(seen, row_);
  if (planned_.treatment != Treatment::averaged)
    backend::add_to_base({tensor_.dtype, base.raw}, planned_.lambda, sum);
  const std::int64_t overflows =
      backend::round_to(planned_.out_dtype, sum, slice(out_, done_ * width, count * width));
  row_.overflows += overflows;
  if (overflows > 0 && !context_.allow_nonfinite)
    throw_overflow(tensor_.name, planned_.out_dtype, first_ + done_, sum);
  done_ += count;
}

/// <W_0, D> and |D|^2; for an average D is what it differs from the base.
void ResultBlock::add_delta(std::span<const float> base, std::span<const double> sum) {
  if (planned_.treatment != Treatment::averaged) return delta_.add(base, sum);
  const auto difference = scratch_.difference.take(static_cast<std::int64_t>(sum.size()));
  for (std::size_t i = 0; i < sum.size(); ++i)
    difference[i] = sum[i] - static_cast<double>(base[i]);
  delta_.add(base, difference);
}

std::span<const std::byte> ResultBlock::end() {
  const backend::DeltaSums sums = delta_.totals();
  row_.base_dot_delta += sums.base_dot_delta;
  row_.delta_squared += sums.delta_squared;
  return out_;
}

}  // namespace koine::pipeline
