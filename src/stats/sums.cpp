#include "stats/sums.hpp"

#include "backend/elementwise.hpp"

namespace koine::stats {

double sum_of_squares(std::span<const float> values) noexcept {
  return backend::sum_of_squares(values);
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
