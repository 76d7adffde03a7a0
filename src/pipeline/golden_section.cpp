#include "pipeline/golden_section.hpp"

#include <limits>

namespace koine::pipeline {
namespace {

constexpr double kGolden = 0.61803398874989484820;  // (sqrt(5) - 1) / 2

}  // namespace

GoldenSection::GoldenSection(double low, double high)
    : low_(low),
      high_(high),
      left_{high - kGolden * (high - low), {}, false},
      right_{low + kGolden * (high - low), {}, false} {}

double GoldenSection::next() const noexcept {
  return left_.is_known ? right_.at : left_.at;
}

void GoldenSection::tell(std::optional<double> value) {
  Probe& asked = left_.is_known ? right_ : left_;
  asked.value = value;
  asked.is_known = true;
  if (!left_.is_known || !right_.is_known) return;
  constexpr double kHighest = std::numeric_limits<double>::infinity();
  if (left_.value.value_or(kHighest) <= right_.value.value_or(kHighest)) {
    high_ = right_.at;
    right_ = left_;
    left_ = {high_ - kGolden * (high_ - low_), {}, false};
  } else {
    low_ = left_.at;
    left_ = right_;
    right_ = {low_ + kGolden * (high_ - low_), {}, false};
  }
}

}  // namespace koine::pipeline
