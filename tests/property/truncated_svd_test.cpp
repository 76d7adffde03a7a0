#include "lowrank/truncated_svd.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "lowrank/product.hpp"
#include "support/spectra.hpp"

namespace koine::lowrank {
namespace {

using test::Spectrum;

constexpr double kHalfUnit32 = 0x1p-24;
constexpr double kUnit64 = 0x1p-53;

struct Case {
  Spectrum spectrum;
  std::int64_t rows, cols, kept;
  [[nodiscard]] bool is_large() const { return std::min(rows, cols) >= 192; }
};
void PrintTo(const Case& c, std::ostream* out) {
  PrintTo(c.spectrum, out);
  *out << "_" << c.rows << "x" << c.cols << "_r" << c.kept;
}

struct Factorised {
  std::vector<float> tau, low;
  std::vector<double> sigma;  ///< by the judge
  Factors factors;
  MatrixView view;
};

Factorised factorise(const Case& c, const SvdOptions& options = {}) {
  use_one_blas_thread();
  Factorised f;
  f.tau = test::matrix_with(c.spectrum, c.rows, c.cols);
  f.view = {f.tau.data(), c.rows, c.cols};
  f.sigma = test::reference_singular_values(f.view);
  Workspace workspace;
  f.factors = truncated_svd(f.view, {.number = {c.kept}}, options, workspace);
  f.low.resize(f.tau.size());
  product(f.factors, f.low);
  return f;
}

double sum_of_squares(const std::vector<double>& sigma, std::int64_t first, std::int64_t last) {
  double sum = 0;
  for (std::int64_t i = first; i < last; ++i)
    sum += sigma[static_cast<std::size_t>(i)] * sigma[static_cast<std::size_t>(i)];
  return sum;
}

double distance_squared(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += difference * difference;
  }
  return sum;
}

bool is_judged(const std::string& method) {
  return method == "host:krylov32" || method == "host:krylov16";
}

/// Of theta_1, the residual of a Krylov space's pairs: what it aims at, through tau 4e-7 and what
/// products in float32 round on the way (about 1e-7).
double residual_of(const std::string& method) {
  if (is_judged(method)) return 5e-7;
  return method == "host:krylov" ? 1e-10 : 0;
}

/// A value of a Krylov space lies within its residual of G's; one that tau gives, within the square
/// of it over the gap to the first that is not kept.
double krylov_error(const Factors& factors) {
  const auto kept = static_cast<std::size_t>(factors.kept);
  const auto theta = [&](std::size_t i) { return factors.sigma[i] * factors.sigma[i]; };
  const double pairs = static_cast<double>(kept) * theta(0);
  if (!is_judged(factors.method)) return residual_of(factors.method) * pairs;
  const double gap = (theta(kept - 1) - theta(kept)) / theta(0);
  return factors.residual * std::min(factors.residual / gap, 1.0) * pairs;
}

class TruncatedSvd : public testing::TestWithParam<Case> {};

TEST_P(TruncatedSvd, KeepsTheEnergyOfTheBestApproximation) {
  const auto f = factorise(GetParam());
  const double best = sum_of_squares(f.sigma, 0, f.factors.kept);
  // Gram and judge both work in float64: each is right to about 8 m u |tau|^2.
  const double rounding =
      16 * static_cast<double>(f.sigma.size()) * kUnit64 * f.factors.tau_squared;
  EXPECT_NEAR(f.factors.energy, best, 1e-12 * best + rounding + krylov_error(f.factors));
  EXPECT_NEAR(f.factors.tau_squared,
              sum_of_squares(f.sigma, 0, static_cast<std::int64_t>(f.sigma.size())), rounding);
}

TEST_P(TruncatedSvd, DropsExactlyTheTail) {  // Eckart and Young
  const auto f = factorise(GetParam());
  const auto full = static_cast<std::int64_t>(f.sigma.size());
  const double tail = std::sqrt(sum_of_squares(f.sigma, f.factors.kept, full));
  const double error = std::sqrt(distance_squared(f.tau, f.low));
  // float32 rounds U, B and every step of the chain: (kept + 2) half units of |L| at the most.
  const double rounding =
      static_cast<double>(f.factors.kept + 2) * kHalfUnit32 * std::sqrt(f.factors.tau_squared);
  EXPECT_NEAR(error, tail, rounding);
}

TEST_P(TruncatedSvd, IsCertifiedWithinTheTolerance) {
  const auto f = factorise(GetParam());
  EXPECT_TRUE(f.factors.certified);
  EXPECT_LE(f.factors.residual, SvdOptions{}.tolerance);
  if (residual_of(f.factors.method) > 0) {
    EXPECT_LE(f.factors.residual, residual_of(f.factors.method));
  }
  // A flat spectrum may need more Krylov vectors than a full factorisation is worth.
  EXPECT_LE(f.factors.fallbacks, GetParam().is_large() ? 1 : 0);
  const std::int64_t there = GetParam().spectrum == Spectrum::exact_rank ? 5 : GetParam().kept;
  EXPECT_EQ(f.factors.kept, std::min(there, GetParam().kept));
}

TEST_P(TruncatedSvd, SingularValuesAreTheJudges) {
  const auto f = factorise(GetParam());
  // An eigenvalue of G is right to 8 m u theta_1, its root to the root of that.
  const double bound = std::sqrt(16 * static_cast<double>(f.sigma.size()) * kUnit64) * f.sigma[0];
  ASSERT_GT(f.factors.sigma.size(), static_cast<std::size_t>(f.factors.kept));
  for (std::size_t i = 0; i < f.factors.sigma.size(); ++i) {
    // The one after the rung is there for the gap alone: as rounding to integers leaves it.
    const bool is_rounded = f.factors.method == "host:krylov16" && i + 1 == f.factors.sigma.size();
    ASSERT_NEAR(f.factors.sigma[i], f.sigma[i], is_rounded ? 2e-5 * f.sigma[0] : bound) << i;
    ASSERT_TRUE(i == 0 || f.factors.sigma[i] <= f.factors.sigma[i - 1]) << i;
  }
}

TEST_P(TruncatedSvd, ColumnsOfUAreOrthonormalAndSignedByTheirLargestEntry) {
  const auto f = factorise(GetParam());
  const auto kept = static_cast<std::size_t>(f.factors.kept);
  const std::size_t m = f.sigma.size();
  for (std::size_t a = 0; a < kept; ++a) {
    for (std::size_t b = a; b < kept; ++b) {
      double dot = 0;
      for (std::size_t i = 0; i < m; ++i) {
        dot += static_cast<double>(f.factors.u[i * kept + a]) *
               static_cast<double>(f.factors.u[i * kept + b]);
      }
      ASSERT_NEAR(dot, a == b ? 1.0 : 0.0,
                  4 * kHalfUnit32);  // two unit vectors, each rounded to float32
    }
    float largest = 0;
    for (std::size_t i = 0; i < m; ++i) {
      const float entry = f.factors.u[i * kept + a];
      if (std::fabs(entry) > std::fabs(largest)) largest = entry;
    }
    ASSERT_GT(largest, 0);
  }
}

TEST_P(TruncatedSvd, SolversAgree) {
  const auto usual = factorise(GetParam());
  const auto exact = factorise(GetParam(), {.mode = Mode::exact});
  const auto fast = factorise(GetParam(), {.mode = Mode::fast});
  EXPECT_EQ(exact.factors.method, "host:dsyevd");
  EXPECT_TRUE(exact.factors.certified);
  EXPECT_FALSE(fast.factors.certified);
  EXPECT_LE(fast.factors.residual, SvdOptions{}.tolerance);
  // What is dropped beyond the best is what the kept values lack.
  const auto full = static_cast<std::int64_t>(fast.sigma.size());
  const double tail = sum_of_squares(fast.sigma, fast.factors.kept, full);
  const double dropped = std::sqrt(distance_squared(fast.tau, fast.low));
  const double float32 = static_cast<double>(fast.factors.kept + 2) * kHalfUnit32 *
                         std::sqrt(fast.factors.tau_squared);
  EXPECT_LE(dropped, std::sqrt(tail + krylov_error(fast.factors)) + float32);
  EXPECT_GE(dropped, std::sqrt(tail) - float32);
  // A value lies within its squared residual over the gap of the right one, at most the residual.
  EXPECT_NEAR(fast.factors.energy, exact.factors.energy, 1e-6 * exact.factors.energy);
  const double rounding =
      16 * static_cast<double>(usual.sigma.size()) * kUnit64 * usual.factors.tau_squared;
  EXPECT_NEAR(usual.factors.energy, exact.factors.energy, rounding + krylov_error(usual.factors));
}

TEST(TruncatedSvd, AFinerToleranceTakesFloat64) {
  const Case c{Spectrum::spikes, 256, 300, 7};
  const auto usual = factorise(c), fine = factorise(c, {.tolerance = 1e-9});
  EXPECT_EQ(usual.factors.method, "host:krylov16");
  EXPECT_EQ(fine.factors.method, "host:krylov");
  EXPECT_LE(fine.factors.residual, 1e-9);
  EXPECT_TRUE(fine.factors.certified);
}

class Oblong : public testing::TestWithParam<Case> {};

TEST_P(Oblong, TransposingTauTransposesLInBits) {
  const Case c = GetParam();
  const auto f = factorise(c);
  const auto flipped = test::transposed(f.tau, c.rows, c.cols);
  Workspace workspace;
  const Factors factors =
      truncated_svd({flipped.data(), c.cols, c.rows}, {.number = {c.kept}}, {}, workspace);
  EXPECT_EQ(factors.u, f.factors.u);
  EXPECT_EQ(factors.b, f.factors.b);
  std::vector<float> low(f.low.size());
  product(factors, low);
  EXPECT_EQ(test::transposed(low, c.cols, c.rows), f.low);
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const Spectrum spectrum :
       {Spectrum::flat_noise, Spectrum::power_half, Spectrum::power_two, Spectrum::exponential,
        Spectrum::spikes, Spectrum::exact_rank, Spectrum::clusters, Spectrum::fp16_delta,
        Spectrum::tiny, Spectrum::huge}) {
    cases.push_back({spectrum, 96, 96, 7});    // square, the usual rank
    cases.push_back({spectrum, 40, 160, 32});  // fc1's shape
    cases.push_back({spectrum, 160, 40, 1});   // fc2's shape
    cases.push_back({spectrum, 61, 67, 60});   // odd, all but one
    cases.push_back({spectrum, 256, 256, 7});  // large enough for a Krylov space
    cases.push_back({spectrum, 771, 193, 8});  // all of a rung
    cases.push_back({spectrum, 321, 340, 32});
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Rows, TruncatedSvd, testing::ValuesIn(all_cases()),
                         [](const auto& row) { return testing::PrintToString(row.param); });

std::vector<Case> oblong_cases() {
  auto cases = all_cases();
  std::erase_if(cases, [](const Case& c) { return c.rows == c.cols; });
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Rows, Oblong, testing::ValuesIn(oblong_cases()),
                         [](const auto& row) { return testing::PrintToString(row.param); });

}  // namespace
}  // namespace koine::lowrank
