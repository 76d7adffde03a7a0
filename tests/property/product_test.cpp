#include "lowrank/product.hpp"

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "backend/elementwise.hpp"

namespace koine::lowrank {
namespace {

struct Case {
  std::int64_t rows, cols, kept;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.rows << "x" << c.cols << " kept " << c.kept;
}

Factors random_factors(const Case& c) {
  Factors factors;
  factors.rows = c.rows;
  factors.cols = c.cols;
  factors.kept = c.kept;
  factors.is_transposed = is_transposed(c.rows, c.cols);
  std::mt19937_64 generator(static_cast<std::uint64_t>(c.rows * 1000 + c.cols));
  std::normal_distribution<float> normal;
  factors.u.resize(static_cast<std::size_t>(std::min(c.rows, c.cols) * c.kept));
  factors.b.resize(static_cast<std::size_t>(std::max(c.rows, c.cols) * c.kept));
  for (float& x : factors.u) x = normal(generator);
  for (float& x : factors.b) x = normal(generator) * 1e-3F;
  return factors;
}

/// The definition: fma over k in order from +0, in the stored orientation.
std::vector<float> by_definition(const Factors& f) {
  std::vector<float> low;
  for (std::int64_t i = 0; i < f.rows; ++i) {
    for (std::int64_t j = 0; j < f.cols; ++j) {
      const std::int64_t at_u = f.is_transposed ? j : i, at_b = f.is_transposed ? i : j;
      const std::int64_t length = f.is_transposed ? f.rows : f.cols;
      float sum = 0;
      for (std::int64_t k = 0; k < f.kept; ++k) {
        sum = std::fma(f.u[static_cast<std::size_t>(at_u * f.kept + k)],
                       f.b[static_cast<std::size_t>(k * length + at_b)], sum);
      }
      low.push_back(sum);
    }
  }
  return low;
}

class Product : public testing::TestWithParam<Case> {};

TEST_P(Product, EveryVariantHasTheBitsOfTheChain) {
  const Factors factors = random_factors(GetParam());
  const auto expected = by_definition(factors);
  std::vector<float> low(expected.size(), std::nanf(""));
  for (const ProductVariant& variant : product_variants().all) {
    if (variant.kernel == nullptr) continue;
    product_by(variant, factors, low);
    EXPECT_EQ(std::memcmp(low.data(), expected.data(), low.size() * sizeof(float)), 0)
        << variant.name;
  }
  std::fill(low.begin(), low.end(), std::nanf(""));
  EXPECT_EQ(product(factors, low), backend::sum_of_squares(expected));
  EXPECT_EQ(std::memcmp(low.data(), expected.data(), low.size() * sizeof(float)), 0);
}

TEST(ProductVariants, PortableIsAlwaysThere) {
  EXPECT_STREQ(product_variants().all[2].name, "portable");
  EXPECT_NE(product_variants().all[2].kernel, nullptr);
}

// Around a tile of 64 columns and bands of 8 rows and (from 65536 entries of the right factor on)
// of 64, both orientations, no term, one term, many.
INSTANTIATE_TEST_SUITE_P(Shapes, Product,
                         testing::Values(Case{1, 1, 1}, Case{3, 5, 2}, Case{64, 64, 7},
                                         Case{63, 65, 8}, Case{65, 63, 8}, Case{131, 200, 33},
                                         Case{200, 131, 33}, Case{7, 300, 3}, Case{300, 7, 3},
                                         Case{129, 128, 128}, Case{131, 1030, 64},
                                         Case{1031, 1030, 64}, Case{131, 1030, 63},
                                         Case{20, 30, 0}));

}  // namespace
}  // namespace koine::lowrank
