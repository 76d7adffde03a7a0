#include "pipeline/band.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace koine::pipeline {
namespace {

constexpr std::int64_t kEntries = 4096;
constexpr double kLambda = 0.5, kWeight = -2;  // |lambda weight| = 1

PlannedTensor planned() {
  PlannedTensor tensor;
  tensor.lambda = kLambda;
  tensor.parts = Parts({TensorPart{kWeight, {}}});
  return tensor;
}

stats::TensorRow row(double gap) {
  stats::ExpertRow expert;
  expert.low_rank = 8;
  expert.threshold = 0.25;
  expert.residual = 1e-7;
  expert.gap = gap;
  expert.sigma_first = 100;
  expert.sigma_last = 10;
  return {{}, {expert}};
}

bool is_within(const Band& band, const std::vector<float>& a, const std::vector<float>& b) {
  return within(band, DType::f32, std::as_bytes(std::span(a)), std::as_bytes(std::span(b)));
}

Band band_of_rows(const stats::TensorRow& ours, const stats::TensorRow& theirs) {
  return band_of(planned(), ours, theirs, kEntries);
}

// sqrt(2 * 8) = 4, residuals of 1e-7 and 3e-7, sigma_1 = 100, sqrt(entries) = 64.
TEST(Band, IsWhatResidualsGapAndThresholdMakeOfIt) {
  stats::TensorRow theirs = row(0.01);
  theirs.experts[0].residual = 3e-7;
  const Band band = band_of_rows(row(0.01), theirs);
  EXPECT_NEAR(band.rounding, 16.0 / 64 * 4 * 4e-7 / 0.01 * 100 + 100 * 0x1p-22, 1e-15);
  EXPECT_DOUBLE_EQ(band.flip, band.rounding + 0.25);
}

TEST(Band, AnotherTripletMayStandForTheLastWhereThereIsNoGap) {
  const Band band = band_of_rows(row(1e-9), row(1e-9));
  EXPECT_NEAR(band.rounding, 16.0 / 64 * 4 * 2e-7 / 1e-3 * 100 + 100 * 0x1p-22 + 64.0 / 64 * 10,
              1e-12);
}

TEST(Band, IsNothingWhereNothingWasFactorised) {
  stats::TensorRow sparse = row(0), whole = row(0);
  sparse.experts[0].low_rank = 0;
  whole.experts[0].sigma_first = 0;  // M is tau
  for (const stats::TensorRow& exact : {sparse, whole}) {
    const Band band = band_of_rows(exact, exact);
    EXPECT_EQ(band.rounding, 0);
    EXPECT_EQ(band.flip, 0);
    EXPECT_TRUE(is_within(band, {1, 2}, {1, 2}));
    EXPECT_FALSE(is_within(band, {1, 2}, {1, std::nextafter(2.0F, 3.0F)}));
  }
}

TEST(Band, OneInAThousandMayHaveChangedSides) {
  const Band band{1e-3, 0.25};
  const std::vector<float> a(2000, 1);
  std::vector<float> b(2000, 1.0009F);
  EXPECT_TRUE(is_within(band, a, b));
  b[0] = b[7] = b[1999] = 1.24F;
  EXPECT_TRUE(is_within(band, a, b));
  b[5] = 1.24F;
  EXPECT_FALSE(is_within(band, a, b)) << "four of two thousand";
  b = a;
  b[1000] = 1.26F;
  EXPECT_FALSE(is_within(band, a, b)) << "one, but by more than a threshold";
}

TEST(Band, NeighboursInTheOutputsTypeAreNear) {
  const std::vector<std::uint16_t> a{0x3c00, 0x0001, 0x8000},
      b{0x3c01, 0x0002, 0x0000};  // 1, tiny, 0
  const std::vector<std::uint16_t> far{0x3c02, 0x0001, 0x8000};
  const auto bytes = [](const auto& x) { return std::as_bytes(std::span(x)); };
  const Band least{1e-12, 1e-12};
  EXPECT_TRUE(within(least, DType::f16, bytes(a), bytes(b)));
  EXPECT_FALSE(within(least, DType::f16, bytes(a), bytes(far)));
}

TEST(Band, ANaNIsNearANaNAlone) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(is_within({1, 1}, {nan, 1}, {nan, 1.5F}));
  EXPECT_FALSE(is_within({1, 1}, {nan, 1}, {1, 1}));
}

}  // namespace
}  // namespace koine::pipeline
