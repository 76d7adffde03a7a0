#include "kernels/block_qr.hpp"

#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "device_array.hpp"

namespace koine::kernels {
namespace {

constexpr double kRoundoff = 0x1p-53;
constexpr std::int64_t kSlots = 3;

struct Case {
  std::int64_t m, width;
};
std::ostream& operator<<(std::ostream& stream, const Case& c) {
  return stream << c.m << " x " << c.width;
}

std::vector<double> noise(std::int64_t count, unsigned seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> x(static_cast<std::size_t>(count));
  for (double& value : x) value = normal(random);
  return x;
}

/// q and r of every slot, slots one after the other.
struct Orthonormal {
  std::vector<double> q, r;
};

Orthonormal orthonormalised(const std::vector<double>& w, const Case& c, double negligible,
                            std::vector<double> scale_squared) {
  DeviceArray<double> q(w), r(kSlots * c.width * c.width);
  const DeviceArray<double> scale(scale_squared);
  orthonormalise({q.data(), c.m, c.width, c.m * c.width, kSlots}, negligible, scale.data(),
                 r.data(), nullptr);
  return {q.fetch(), r.fetch()};
}

class BlockQr : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (const std::string why = why_no_device(); !why.empty()) GTEST_SKIP() << why;
  }
  static double dot(const double* a, const double* b, std::int64_t m) {
    double sum = 0;
    for (std::int64_t t = 0; t < m; ++t) sum += a[t] * b[t];
    return sum;
  }
};

// Gram-Schmidt twice: orthogonal to a small multiple of roundoff, whatever the condition.
TEST_P(BlockQr, ColumnsAreOrthonormalAndGiveTheBlockBack) {
  const Case c = GetParam();
  auto w = noise(kSlots * c.m * c.width, 1);
  // A column nearly inside the span of the one before it: the condition is 1e7.
  if (c.width > 1) {
    for (std::int64_t t = 0; t < c.m; ++t)
      w[static_cast<std::size_t>(c.m + t)] =
          w[static_cast<std::size_t>(t)] + 1e-7 * w[static_cast<std::size_t>(c.m + t)];
  }
  const auto [q, r] = orthonormalised(w, c, 1e-14, {1, 1, 1});
  const double limit = 16 * static_cast<double>(c.m + c.width) * kRoundoff;
  for (std::int64_t s = 0; s < kSlots; ++s) {
    const double* columns = q.data() + s * c.m * c.width;
    const double* factor = r.data() + s * c.width * c.width;
    for (std::int64_t j = 0; j < c.width; ++j) {
      for (std::int64_t i = 0; i <= j; ++i)
        EXPECT_NEAR(dot(columns + i * c.m, columns + j * c.m, c.m), i == j ? 1 : 0, limit);
      for (std::int64_t t = 0; t < c.m; ++t) {
        double back = 0;
        for (std::int64_t i = 0; i <= j; ++i)
          back += columns[i * c.m + t] * factor[j * c.width + i];
        EXPECT_NEAR(back, w[static_cast<std::size_t>((s * c.width + j) * c.m + t)],
                    limit * std::sqrt(static_cast<double>(c.m)));
      }
      for (std::int64_t i = j + 1; i < c.width; ++i) EXPECT_EQ(factor[j * c.width + i], 0);
    }
  }
}

TEST_P(BlockQr, CombinationsOfOthersBecomeZero) {
  const Case c = GetParam();
  if (c.width < 3) return;  // a combination needs two others
  auto w = noise(kSlots * c.m * c.width, 2);
  for (std::int64_t t = 0; t < c.m; ++t) {
    const auto at = static_cast<std::size_t>(t), step = static_cast<std::size_t>(c.m);
    w[at + 2 * step] = w[at] - 3 * w[at + step];
  }
  const double norm = static_cast<double>(c.m);  // squared, about
  const auto [q, r] = orthonormalised(w, c, 1e-13, {16 * norm, norm, norm});
  for (std::int64_t t = 0; t < c.m; ++t) EXPECT_EQ(q[static_cast<std::size_t>(2 * c.m + t)], 0);
  for (std::int64_t j = 0; j < c.width; ++j)
    EXPECT_EQ(r[static_cast<std::size_t>(j * c.width + 2)], 0);
  EXPECT_NEAR(dot(q.data(), q.data(), c.m), 1, 16 * norm * kRoundoff);
}

TEST_P(BlockQr, ZeroStaysZero) {
  const Case c = GetParam();
  const std::vector<double> zero(static_cast<std::size_t>(kSlots * c.m * c.width));
  const auto [q, r] = orthonormalised(zero, c, 1e-14, {0, 0, 0});
  EXPECT_EQ(q, zero);
  for (const double value : r) EXPECT_EQ(value, 0);
}

// One column; fewer rows than a warp; around a block of threads; as many as a rung of 64.
INSTANTIATE_TEST_SUITE_P(Sizes, BlockQr,
                         testing::Values(Case{1, 1}, Case{9, 3}, Case{257, 8}, Case{320, 33},
                                         Case{200, 64}));

}  // namespace
}  // namespace koine::kernels
