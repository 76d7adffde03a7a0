#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "backend/elementwise.hpp"
#include "stats/rows.hpp"
#include "stats/rows_json.hpp"
#include "stats/sums.hpp"

namespace koine::stats {
namespace {

TEST(Sums, SmallIntegersAreExact) {
  for (const std::size_t count : {0U, 1U, 7U, 8U, 9U, 1000U}) {  // around eight lanes
    std::vector<float> x(count);
    double want = 0;
    for (std::size_t i = 0; i < count; ++i) {
      x[i] = static_cast<float>(i % 17) - 8;
      want += x[i] * x[i];
    }
    EXPECT_EQ(sum_of_squares(std::span<const float>(x)), want);
  }
}

TEST(Sums, SignsOnPaper) {
  // Entry by entry: both plus; plus and minus; one alone; none; both minus.
  const std::vector<float> a{1, 1, 1, 0, -1}, b{2, -2, 0, -0.0F, -3};
  std::vector<std::uint8_t> seen(5, 0);
  EXPECT_EQ(backend::note_part(a, seen), 4.0);
  EXPECT_EQ(backend::note_part(b, seen), 17.0);
  ModelRow row;
  count_signs(seen, row);
  EXPECT_EQ(row.signs_total, 3);
  EXPECT_EQ(row.signs_agree, 2);
}

TensorRow row_of(double x) {
  TensorRow row;
  row.model = {x, 2 * x, 10, 7, 1, 0};
  for (int t = 0; t < 2; ++t) {
    ExpertRow expert;
    expert.tau_squared = x + t;
    expert.kept = 100 + t;
    expert.method = "dense";
    row.experts.push_back(expert);
  }
  return row;
}

TEST(Slots, TotalsAreSerialSumsInCanonicalOrder) {
  const std::vector<double> values{0.1, 1e17, -1e17, 0.3};  // another order would give another sum
  Slots slots(values.size(), 2);
  double want = 0;
  for (std::size_t i = values.size(); i-- > 0;)
    slots.fill(i, row_of(values[i]));  // filled in any order
  for (const double x : values) want += x;
  EXPECT_EQ(slots.totals().model.base_dot_delta, want);
  EXPECT_EQ(slots.totals().experts[1].kept, 404);
}

TEST(Rows, ReadBackBitForBit) {
  TensorRow row = row_of(1.0 / 3);
  row.experts[1].method = "host:dsyevr";
  row.experts[1].threshold = std::nextafter(1e-5, 1);
  row.experts[1].is_certified = true;
  const std::string text = to_json(row).dump();
  EXPECT_EQ(to_json(tensor_row_from(Json::parse(text))).dump(), text);
  EXPECT_EQ(tensor_row_from(Json::parse(text)).experts[1].threshold, row.experts[1].threshold);
}

}  // namespace
}  // namespace koine::stats
