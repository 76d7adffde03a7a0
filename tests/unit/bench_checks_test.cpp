#include <algorithm>
#include <cmath>
#include <ostream>
#include <vector>

#include <gtest/gtest.h>

#include "bench/checks.hpp"
#include "bench/matrices.hpp"
#include "lowrank/gram.hpp"
#include "lowrank/product.hpp"

// A check that cannot fail checks nothing: right results pass, results that are slightly wrong do
// not.
namespace koine::bench {
namespace {

struct Case {
  Shape shape;  // wide, tall, square
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << to_string(c.shape);
}

class Checks : public testing::TestWithParam<Case> {
 protected:
  [[nodiscard]] lowrank::Factors factors() {
    return lowrank::truncated_svd(in_.tau(0), {{kKept}, 0}, {}, workspace_);
  }
  [[nodiscard]] std::vector<float> low() {
    std::vector<float> made(in_.base.size());
    lowrank::product(factors(), made);
    return made;
  }

  static constexpr std::int64_t kKept = 3;
  const Wanted wanted_{kKept, 1e-6};
  const Matrices in_ = make_matrices(GetParam().shape, 1);
  lowrank::Workspace workspace_;
};

TEST_P(Checks, Gram) {
  (void)lowrank::gram_matrix(lowrank::ShortSideFirst(in_.tau(0)), workspace_);
  double* gram = workspace_.gram.data();
  constexpr double kUnit = 0x1p-52;
  EXPECT_TRUE(is_gram(in_.tau(0), gram, kUnit));
  const std::int64_t m = std::min(in_.rows(), in_.cols());
  for (std::int64_t i = 0; i < m * m; ++i) gram[i] *= 1 + 1e-10;
  EXPECT_FALSE(is_gram(in_.tau(0), gram, kUnit));
  EXPECT_TRUE(is_gram(in_.tau(0), gram, 0x1p-23)) << "float32 is not that exact";
}

TEST_P(Checks, Factorisation) {
  const lowrank::Factors right = factors();
  EXPECT_TRUE(is_factorisation(in_.tau(0), right, wanted_));
  lowrank::Factors wrong = right;
  wrong.u.front() += 1e-4F;
  EXPECT_FALSE(is_factorisation(in_.tau(0), wrong, wanted_));
  wrong = right;
  wrong.b.back() *= -1;
  wrong.b.front() += 0.01F;
  EXPECT_FALSE(is_factorisation(in_.tau(0), wrong, wanted_));
  wrong = right;
  wrong.sigma[1] *= 1.001;
  EXPECT_FALSE(is_factorisation(in_.tau(0), wrong, wanted_));
  EXPECT_FALSE(is_same_spectrum(wrong, right, wanted_.tolerance));
  EXPECT_TRUE(is_same_spectrum(right, right, wanted_.tolerance));
  EXPECT_FALSE(is_factorisation(in_.tau(0), right, {kKept + 1, 1e-6}));
}

TEST_P(Checks, Product) {
  const lowrank::Factors f = factors();
  std::vector<float> made = low();
  EXPECT_TRUE(is_product(f, made, 1));
  made.back() = std::nextafter(made.back(), 1.0F);  // the last bit
  EXPECT_FALSE(is_product(f, made, 1));
}

TEST_P(Checks, Selection) {
  const std::vector<float> before = low();
  const std::vector<float>& tau = in_.taus.front();
  const std::int64_t k = sparse::keep_count(in_.count(), 0.2);
  const sparse::Threshold found = sparse::kth_largest(tau, before, k);
  std::vector<float> m = before;
  ASSERT_EQ(sparse::take_kept(tau, m, found), k);
  EXPECT_TRUE(is_kth_largest(tau, before, found, k));
  EXPECT_TRUE(is_taken(tau, before, found, m));

  EXPECT_FALSE(is_kth_largest(tau, before, found, k + 1));
  sparse::Threshold other = found;
  ++other.key;
  EXPECT_FALSE(is_kth_largest(tau, before, other, k));
  EXPECT_FALSE(is_taken(tau, before, found, before));
  EXPECT_FALSE(is_taken(tau, before, found, tau));
}

INSTANTIATE_TEST_SUITE_P(Shapes, Checks,
                         testing::Values(Case{{24, 40}}, Case{{40, 24}}, Case{{32, 32}}));

}  // namespace
}  // namespace koine::bench
