#include "stats/sums.hpp"

#include <algorithm>
#include <cstring>

#include "backend/elementwise.hpp"

namespace koine::stats {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101;

std::int64_t sum_of_bytes(std::uint64_t bytes) noexcept {
  constexpr std::uint64_t kEven = 0x00FF00FF00FF00FF, kFours = 0x0001000100010001;
  const std::uint64_t pairs = (bytes & kEven) + ((bytes >> 8U) & kEven);
  return static_cast<std::int64_t>((pairs * kFours) >> 48U);
}

}  // namespace

double sum_of_squares(std::span<const float> values) noexcept {
  return backend::sum_of_squares(values);
}

// Eight elements a word, a count in each of its bytes: of rules::see_sign's bits, two or more are
// there (bit 2), and agree where one of the signs alone was seen (bits 0 and 1 differ).
void count_signs(std::span<const std::uint8_t> seen, ModelRow& row) noexcept {
  constexpr std::size_t kWord = 8, kWords = 255;  // so many counts a byte holds
  for (std::size_t first = 0; first < seen.size(); first += kWord * kWords) {
    const auto here = seen.subspan(first, std::min(kWord * kWords, seen.size() - first));
    std::uint64_t totals = 0, agreeing = 0;
    for (std::size_t i = 0; i < here.size(); i += kWord) {
      std::uint64_t word = 0;
      std::memcpy(&word, here.data() + i, std::min(kWord, here.size() - i));
      const std::uint64_t more = (word >> 2U) & kOnes;
      totals += more;
      agreeing += (word ^ (word >> 1U)) & more;
    }
    row.signs_total += sum_of_bytes(totals);
    row.signs_agree += sum_of_bytes(agreeing);
  }
}

}  // namespace koine::stats
