#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "backend/elementwise.hpp"
#include "core/lanes.hpp"

namespace koine::backend {
namespace {

std::vector<float> thirds(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = (static_cast<float>(i % 7) - 3) / 3;
  return values;
}

TEST(TakeNextPart, PieceByPieceIsAsAllAtOnce) {
  const std::vector<float> m = thirds(1000);
  std::vector<double> whole(m.size(), 0.1), pieced = whole;
  std::vector<std::uint8_t> whole_seen(m.size()), pieced_seen(m.size());
  const double squared = take_part(0.3, m, whole, whole_seen);
  SquareSum squares;
  constexpr std::size_t kPiece = 48 * kLanes;
  for (std::size_t at = 0; at < m.size(); at += kPiece) {
    const std::size_t count = std::min(kPiece, m.size() - at);
    take_next_part(0.3, std::span(m).subspan(at, count), std::span(pieced).subspan(at, count),
                   std::span(pieced_seen).subspan(at, count), squares);
  }
  EXPECT_EQ(pieced, whole);
  EXPECT_EQ(pieced_seen, whole_seen);
  EXPECT_EQ(squares.total(), squared);
}

}  // namespace
}  // namespace koine::backend
