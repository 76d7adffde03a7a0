#include "pipeline/band.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "backend/to_double.hpp"

namespace koine::pipeline {
namespace {

constexpr double kPeak = 16;             // of a mean: an entry of a difference
constexpr double kLeastGap = 1e-3;       // of sigma_1: below it the cut is hardly determined
constexpr std::int64_t kFlips = 1000;    // one entry of so many
constexpr std::size_t kPiece = 1 << 16;  // entries widened at a time

/// Of one expert's entries; 0 where nothing was factorised.
double rounding_of(const stats::ExpertRow& ours, const stats::ExpertRow& theirs, double entries) {
  if (ours.low_rank == 0 || ours.sigma_first == 0) return 0;
  const double rank = static_cast<double>(ours.low_rank), first = ours.sigma_first;
  const double turned =
      std::sqrt(2 * rank) * (ours.residual + theirs.residual) / std::max(ours.gap, kLeastGap);
  const double band = (kPeak * turned / std::sqrt(entries) + 0x1p-22) * first;
  if (ours.gap >= kLeastGap) return band;
  return band + std::min(2.0, 4 * kPeak / std::sqrt(entries)) * ours.sigma_last;
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

/// Entries of some pieces that are beyond rounding; nothing where one is beyond the flip, too.
std::optional<std::int64_t> flips_of(const Band& band, DType dtype, std::span<const std::byte> ours,
                                     std::span<const std::byte> theirs) {
  const Format format = format_of(dtype);
  std::vector<double> a(ours.size() / static_cast<std::size_t>(size_of(dtype))), b(a.size());
  backend::to_double({dtype, ours}, a);
  backend::to_double({dtype, theirs}, b);
  std::int64_t flips = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
    const double apart = std::fabs(a[i] - b[i]);
    const double unit = unit_at(std::max(std::fabs(a[i]), std::fabs(b[i])), format);
    if (!(apart <= band.flip + unit)) return std::nullopt;  // a NaN on one side, too
    flips += apart > band.rounding + unit ? 1 : 0;
  }
  return flips;
}

}  // namespace

Band band_of(const PlannedTensor& planned, const stats::TensorRow& ours,
             const stats::TensorRow& theirs, std::int64_t entries) {
  Band band;
  for (std::size_t t = 0; t < ours.experts.size(); ++t) {
    const double scale = std::fabs(planned.lambda * planned.parts[t].weight) /
                         (planned.divisor == 0 ? 1 : std::fabs(planned.divisor));
    const double rounding =
        rounding_of(ours.experts[t], theirs.experts.at(t), static_cast<double>(entries));
    band.rounding += scale * rounding;
    if (rounding > 0) band.flip += scale * (rounding + ours.experts[t].threshold);
  }
  return band;
}

bool within(const Band& band, DType dtype, std::span<const std::byte> ours,
            std::span<const std::byte> theirs) {
  if (std::ranges::equal(ours, theirs)) return true;
  if (band.flip == 0) return false;
  const auto size = static_cast<std::size_t>(size_of(dtype));
  const std::size_t entries = ours.size() / size;
  std::int64_t flips = 0;
  for (std::size_t first = 0; first < entries; first += kPiece) {
    const std::size_t bytes = std::min(kPiece, entries - first) * size;
    const auto found = flips_of(band, dtype, ours.subspan(first * size, bytes),
                                theirs.subspan(first * size, bytes));
    if (!found) return false;
    flips += *found;
  }
  return flips <= 1 + static_cast<std::int64_t>(entries) / kFlips;
}

}  // namespace koine::pipeline
