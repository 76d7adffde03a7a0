#include "methods/low_part.hpp"

#include <algorithm>
#include <utility>

#include "stats/sums.hpp"

namespace koine::methods {
namespace {

constexpr std::int64_t kZeroCount = 1024;
alignas(64) constexpr float kZeros[kZeroCount]{};

}  // namespace

LowPart::LowPart(MatrixView tau, lowrank::Factors factors)
    : tau_(tau), factors_(std::move(factors)) {
  rows_.emplace(factors_);
}

std::span<const float> LowPart::from(std::int64_t element) {
  if (is_whole_) return tau_.flat().subspan(static_cast<std::size_t>(element));
  const std::int64_t left = tau_.size() - element;
  if (!rows_) return {kZeros, static_cast<std::size_t>(std::min(kZeroCount, left))};
  const lowrank::ProductRows& rows = *rows_;
  const std::int64_t strip = rows.at_once() * tau_.cols, at = element % strip;
  const std::int64_t first = element - at, count = std::min(strip, tau_.size() - first);
  if (first != strip_first_) make_strip(rows, first, count);
  return {strip_.data() + at, static_cast<std::size_t>(count - at)};
}

void LowPart::make_strip(const lowrank::ProductRows& rows, std::int64_t first, std::int64_t count) {
  float* strip = strip_.reserve(static_cast<std::size_t>(count));
  rows.make(first / tau_.cols, count / tau_.cols, strip);
  strip_first_ = first;
  if (first != summed_) return;
  squares_.add({strip, static_cast<std::size_t>(count)});  // while it is in cache
  summed_ += count;
}

double LowPart::store(std::span<float> low) const {
  if (rows_) return rows_->make_all(low);
  if (!is_whole_) {
    std::ranges::fill(low, 0.0F);
    return 0;
  }
  std::ranges::copy(tau_.flat(), low.begin());
  return stats::sum_of_squares(tau_.flat());
}

}  // namespace koine::methods
