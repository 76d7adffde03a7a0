#include "sparse/keep_largest.hpp"

#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace koine::sparse {
namespace {

using Values = std::vector<float>;

/// M for a given tau, L and k.
Values merged(const Values& tau, Values low, std::int64_t k) {
  EXPECT_EQ(take_kept(tau, low, kth_largest(tau, low, k)), k);
  return low;
}

TEST(KeepCount, IsTheIntegerPart) {
  EXPECT_EQ(keep_count(16, 0.2), 3);
  EXPECT_EQ(keep_count(10, 0.3), 3);     // 10 * 0.3 is 3 in double
  EXPECT_EQ(keep_count(100, 0.29), 28);  // 100 * 0.29 is 28.999… in double, as in Python
  EXPECT_EQ(keep_count(16, 0.0), 0);
  EXPECT_EQ(keep_count(16, 1.0), 16);
  EXPECT_EQ(keep_count(0, 0.5), 0);
}

TEST(KeepLargest, TakesTauWhereTheResidualIsLarge) {
  const Values tau{1, -5, 3, 0};
  const Values low{0, -4, 0, 0.5};  // |tau - low| = 1, 1, 3, 0.5
  EXPECT_EQ(merged(tau, low, 1), (Values{0, -4, 3, 0.5}));
}

TEST(KeepLargest, EqualOnesGoToTheLowestIndex) {
  const Values tau{1, -2, 2, 2, -2, 3};
  const Values zero(6, 0.0F);
  EXPECT_EQ(merged(tau, zero, 1), (Values{0, 0, 0, 0, 0, 3}));
  EXPECT_EQ(merged(tau, zero, 2), (Values{0, -2, 0, 0, 0, 3}));
  EXPECT_EQ(merged(tau, zero, 3), (Values{0, -2, 2, 0, 0, 3}));
  EXPECT_EQ(merged(tau, zero, 4), (Values{0, -2, 2, 2, 0, 3}));
  EXPECT_EQ(merged(tau, zero, 6), tau);
}

TEST(KeepLargest, ZeroResidualsCountToo) {
  const Values tau{7, 7, 7, 7};
  const Values low = tau;  // the residual is zero everywhere: exactly k are kept all the same
  const Threshold threshold = kth_largest(tau, low, 3);
  EXPECT_EQ(threshold.key, 0U);
  EXPECT_EQ(threshold.ties, 3);
  EXPECT_EQ(merged(tau, low, 3), tau);
}

TEST(KeepLargest, NothingIsKeptAtZero) {
  const Values tau{1, 2};
  EXPECT_EQ(merged(tau, Values{0, 0}, 0), (Values{0, 0}));
  EXPECT_EQ(kth_largest(tau, {}, 0).magnitude(), std::numeric_limits<float>::infinity());
}

TEST(KeepLargest, TellsTheThreshold) {
  const Values tau{4, -1, 2, -2};
  const Threshold threshold = kth_largest(tau, {}, 2);
  EXPECT_EQ(threshold.magnitude(), 2.0F);
  EXPECT_EQ(threshold.ties, 1);
  EXPECT_EQ(threshold.kept, 2);
}

}  // namespace
}  // namespace koine::sparse
