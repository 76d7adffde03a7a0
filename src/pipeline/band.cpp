#include "pipeline/band.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "backend/to_double.hpp"

namespace koine::pipeline {
namespace {

constexpr double kPeak = 16;           // of |L|'s mean: its largest entries
constexpr double kResidual = 1e-7;     // what a host's pairs may have, whatever the other side's do
constexpr double kLeastGap = 1e-3;     // below it the cut is hardly determined
constexpr std::int64_t kFlips = 1000;  // one entry of so many

/// Of one expert's entries.
double rounding_of(const stats::ExpertRow& row, double entries) {
  if (row.low_rank == 0) return 0;
  const double turned = 4 * std::max(row.residual, kResidual) / std::max(row.gap, kLeastGap);
  const double mean = std::sqrt(row.low_squared / entries);
  const double band = kPeak * turned * mean + 0x1p-22 * row.sigma_first;
  if (row.gap >= kLeastGap) return band;
  return band + std::min(2.0, 4 * kPeak / std::sqrt(entries)) * row.sigma_last;
}

struct Format {
  int mantissa, least_exponent;
};

Format format_of(DType dtype) {
  switch (dtype) {
    case DType::f16:
      return {10, -14};
    case DType::bf16:
      return {7, -126};
    case DType::f32:
      return {23, -126};
    default:
      return {52, -1022};
  }
}

/// The distance of neighbours at x.
double unit_at(double x, Format format) {
  int exponent = 0;
  (void)std::frexp(x, &exponent);
  return std::ldexp(1.0, std::max(exponent - 1, format.least_exponent) - format.mantissa);
}

std::vector<double> values_of(DType dtype, std::span<const std::byte> bytes) {
  std::vector<double> values(bytes.size() / static_cast<std::size_t>(size_of(dtype)));
  backend::to_double({dtype, bytes}, values);
  return values;
}

}  // namespace

Band band_of(const PlannedTensor& planned, const stats::TensorRow& row, std::int64_t entries) {
  Band band;
  for (std::size_t t = 0; t < row.experts.size(); ++t) {
    const double scale = std::fabs(planned.lambda * planned.parts[t].weight) /
                         (planned.divisor == 0 ? 1 : std::fabs(planned.divisor));
    const double rounding = rounding_of(row.experts[t], static_cast<double>(entries));
    band.rounding += scale * rounding;
    band.flip += scale * (rounding + row.experts[t].threshold);
  }
  return band;
}

bool within(const Band& band, DType dtype, std::span<const std::byte> ours,
            std::span<const std::byte> theirs) {
  if (std::ranges::equal(ours, theirs)) return true;
  const Format format = format_of(dtype);
  const std::vector<double> a = values_of(dtype, ours), b = values_of(dtype, theirs);
  std::int64_t flips = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
    const double apart = std::fabs(a[i] - b[i]);
    const double unit = unit_at(std::max(std::fabs(a[i]), std::fabs(b[i])), format);
    if (!(apart <= band.flip + unit)) return false;  // a NaN on one side, too
    flips += apart > band.rounding + unit ? 1 : 0;
  }
  return flips <= 1 + static_cast<std::int64_t>(a.size()) / kFlips;
}

}  // namespace koine::pipeline
