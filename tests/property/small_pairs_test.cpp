#include "lowrank/small_pairs.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace koine::lowrank {
namespace {

using Square = std::vector<double>;  // column-major

/// Its upper triangle alone, columns further apart.
Square upper_of(const Square& h, std::int64_t k, std::int64_t lead) {
  Square upper(static_cast<std::size_t>(k * lead), std::numeric_limits<double>::quiet_NaN());
  for (std::int64_t j = 0; j < k; ++j) {
    for (std::int64_t i = 0; i <= j; ++i)
      upper[static_cast<std::size_t>(j * lead + i)] = h[static_cast<std::size_t>(j * k + i)];
  }
  return upper;
}

Square square(std::int64_t k, const std::function<double(std::int64_t, std::int64_t)>& upper) {
  Square h(static_cast<std::size_t>(k * k));
  for (std::int64_t j = 0; j < k; ++j) {
    for (std::int64_t i = 0; i <= j; ++i) {
      const double value = upper(i, j);
      h[static_cast<std::size_t>(j * k + i)] = h[static_cast<std::size_t>(i * k + j)] = value;
    }
  }
  return h;
}

struct Case {
  const char* name;
  std::int64_t order;
  std::function<double(std::int64_t, std::int64_t)> upper;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name << " of " << c.order;
}

/// A normal number of its own for every place.
double random(std::int64_t i, std::int64_t j) {
  std::mt19937 generator(static_cast<unsigned>(1000 * i + j));
  return std::normal_distribution<double>()(generator);
}

/// As a Krylov space leaves it: blocks of eight next to each other, each block's share smaller.
double banded(std::int64_t i, std::int64_t j) {
  if (j / 8 - i / 8 > 1) return 0;
  return std::pow(0.4, static_cast<double>(i / 8)) * (0.3 * random(i, j) + (i == j ? 2 : 0));
}

class SmallPairs : public testing::TestWithParam<Case> {};

// A few order u |H| each: the rounding of a reduction to tridiagonal form and of a solver behind
// it.
TEST_P(SmallPairs, AreEigenpairs) {
  const auto& [name, k, entry] = GetParam();
  const Square h = square(k, entry), upper = upper_of(h, k, k + 3);
  double norm = 0;
  for (const double x : h) norm += x * x;
  norm = std::sqrt(norm);
  const double bound = 16 * static_cast<double>(k) * 0x1p-53 * norm;
  for (const std::int64_t count : {std::int64_t{1}, std::min<std::int64_t>(9, k), k}) {
    Workspace workspace;
    std::vector<double> values(static_cast<std::size_t>(k)), y(h.size());
    ASSERT_TRUE(
        largest_small_pairs({upper.data(), k, k + 3}, count, values.data(), y.data(), workspace));
    const auto at = [&](std::int64_t pair, std::int64_t i) {
      return y[static_cast<std::size_t>(pair * k + i)];
    };
    for (std::int64_t a = 0; a < count; ++a) {
      if (a > 0) {
        EXPECT_LE(values[static_cast<std::size_t>(a)], values[static_cast<std::size_t>(a - 1)]);
      }
      double residual = 0;
      for (std::int64_t i = 0; i < k; ++i) {
        double image = -values[static_cast<std::size_t>(a)] * at(a, i);
        for (std::int64_t j = 0; j < k; ++j)
          image += h[static_cast<std::size_t>(j * k + i)] * at(a, j);
        residual += image * image;
      }
      EXPECT_LE(std::sqrt(residual), bound) << a;
      for (std::int64_t b = 0; b <= a; ++b) {
        double inner = a == b ? -1 : 0;
        for (std::int64_t i = 0; i < k; ++i) inner += at(a, i) * at(b, i);
        EXPECT_LE(std::fabs(inner), 1e-12) << a << ", " << b;  // far below what a rung may have
      }
    }
    double trace = 0, sum = 0;
    for (std::int64_t i = 0; i < k; ++i) trace += h[static_cast<std::size_t>(i * (k + 1))];
    for (const double value : values) sum += value;
    if (count == k) {
      EXPECT_NEAR(sum, trace, static_cast<double>(k) * bound);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Matrices, SmallPairs,
    testing::Values(
        Case{"one", 1, [](auto, auto) { return 3.0; }}, Case{"random", 2, random},
        Case{"random", 33, random}, Case{"banded", 64, banded}, Case{"banded", 128, banded},
        Case{"zero", 24, [](auto, auto) { return 0.0; }},
        Case{"identity", 24, [](auto i, auto j) { return i == j ? 1.0 : 0.0; }},
        // Equal values, and zeros that split the matrix.
        Case{"twins", 40,
             [](auto i, auto j) { return i / 20 == j / 20 ? random(i % 20, j % 20) : 0; }},
        Case{"clusters", 48, [](auto i, auto j) { return i == j ? 1.0 + 1e-13 * (i % 3) : 0.0; }},
        Case{"graded", 56, [](auto i, auto j) {
               return std::pow(10.0, -0.3 * static_cast<double>(i + j)) *
                      (random(i, j) + (i == j ? 9 : 0));
             }}));

}  // namespace
}  // namespace koine::lowrank
