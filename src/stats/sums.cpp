#include "stats/sums.hpp"

#include <array>
#include <cstddef>

namespace koine::stats {
namespace {

constexpr std::size_t kLanes = 8;

template <typename Term>
double lane_sum(std::size_t count, Term term) noexcept {
  std::array<double, kLanes> lane{};
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::size_t j = 0; j < kLanes; ++j) lane[j] += term(i + j);
  }
  for (std::size_t j = 0; i < count; ++i, ++j) lane[j] += term(i);
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

}  // namespace

double sum_of_squares(std::span<const float> values) noexcept {
  return lane_sum(values.size(), [&](std::size_t i) {
    const double x = values[i];
    return x * x;
  });
}

double sum_of_squares(std::span<const double> values) noexcept {
  return lane_sum(values.size(), [&](std::size_t i) { return values[i] * values[i]; });
}

double dot(std::span<const float> a, std::span<const double> b) noexcept {
  return lane_sum(a.size(), [&](std::size_t i) { return static_cast<double>(a[i]) * b[i]; });
}

void note_signs(std::span<const float> m, std::span<std::uint8_t> seen) noexcept {
  for (std::size_t i = 0; i < m.size(); ++i) {
    const unsigned plus = m[i] > 0 ? 1U : 0U, minus = m[i] < 0 ? 2U : 0U, before = seen[i];
    const unsigned again = ((before & 3U) != 0 && (plus | minus) != 0) ? 4U : 0U;
    seen[i] = static_cast<std::uint8_t>(before | plus | minus | again);
  }
}

void count_signs(std::span<const std::uint8_t> seen, ModelRow& row) noexcept {
  std::int64_t total = 0, agree = 0;
  for (const std::uint8_t s : seen) {
    total += (s >> 2U) & 1;
    agree += (s == 5 || s == 6) ? 1 : 0;
  }
  row.signs_total += total;
  row.signs_agree += agree;
}

}  // namespace koine::stats
