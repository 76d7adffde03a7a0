#include "lowrank/residual_gram.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "lowrank/certificate.hpp"
#include "lowrank/eigen.hpp"
#include "lowrank/skinny.hpp"
#include "lowrank/through_tau.hpp"
#include "support/spectra.hpp"

namespace koine::lowrank {
namespace {

using test::Spectrum;

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

struct Extent {
  std::int64_t rows, cols;
};
void PrintTo(const Extent& e, std::ostream* out) {
  *out << e.rows << "x" << e.cols;
}

constexpr std::int64_t kRung = 8;

/// The rung's pairs of a matrix and the space they were found in, through tau.
struct Found {
  std::vector<float> tau;
  ShortSideFirst side;
  Workspace workspace;
  std::vector<double> theta;  ///< all of them, by the judge
  double tau_squared;
  bool has_converged;

  Found(std::vector<float> numbers, const Extent& e)
      : tau(std::move(numbers)), side(MatrixView{tau.data(), e.rows, e.cols}) {
    use_one_blas_thread();
    for (const double sigma : test::reference_singular_values({tau.data(), e.rows, e.cols}))
      theta.push_back(sigma * sigma);
    tau_squared = 0;
    for (const double value : theta) tau_squared += value;
    has_converged = largest_eigenpairs(Solver::krylov32, side, kRung + 1, workspace);
    if (has_converged) project_and_judge(side, kRung, workspace);
  }
  Found(Spectrum spectrum, const Extent& e)
      : Found(test::matrix_with(spectrum, e.rows, e.cols), e) {}

  [[nodiscard]] double norm() { return residual_gram_norm(side, kRung, tau_squared, workspace); }
  /// Of R R^T, by the judge.
  [[nodiscard]] double exact_norm() const {
    double sum = 0;
    for (std::size_t i = kRung; i < theta.size(); ++i) sum += theta[i] * theta[i];
    return std::sqrt(sum);
  }
  [[nodiscard]] FromResidual known() {
    return {kRung, norm(), gram_times_block_error(side, tau_squared)};
  }
  bool proves(double c, std::int64_t kept) {
    return nothing_missed_by_residual(c, side.short_side, kept, known(), workspace);
  }
};

class ResidualGram : public testing::TestWithParam<Extent> {};

TEST_P(ResidualGram, BoundsTheNormFromAboveAndClosely) {
  for (const Spectrum spectrum : {Spectrum::spikes, Spectrum::power_two, Spectrum::clusters}) {
    for (const float scale : {1.0F, 1e-15F}) {
      std::vector<float> tau = test::matrix_with(spectrum, GetParam().rows, GetParam().cols);
      for (float& x : tau) x *= scale;
      Found found(std::move(tau), GetParam());
      ASSERT_TRUE(found.has_converged);
      // Pairs that are not quite G's leave a little more outside.
      const double exact = found.exact_norm(), slack = 1e-6 * found.theta[0];
      EXPECT_GE(found.norm(), exact * (1 - 1e-9));
      EXPECT_LE(found.norm(), exact * 1.02 + slack) << testing::PrintToString(spectrum);
    }
  }
}

/// A - Q Q^T A in float64, [short, long]; `count` rows of `vectors` are the columns of Q.
std::vector<double> left_by(const double* vectors, std::int64_t count, const ShortSideFirst& side) {
  const std::int64_t m = side.short_side, n = side.long_side;
  std::vector<double> left(as_size(m * n)), row(as_size(n));
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j)
      left[as_size(i * n + j)] = side.tau.data[side.is_transposed ? j * m + i : i * n + j];
  }
  for (std::int64_t a = 0; a < count; ++a) {  // orthonormal: one after the other
    const double* q = vectors + a * m;
    std::ranges::fill(row, 0.0);
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t j = 0; j < n; ++j) row[as_size(j)] += q[i] * left[as_size(i * n + j)];
    }
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t j = 0; j < n; ++j) left[as_size(i * n + j)] -= q[i] * row[as_size(j)];
    }
  }
  return left;
}

/// |A A^T|_F.
double gram_norm(const std::vector<double>& a, std::int64_t rows) {
  const auto n = static_cast<std::int64_t>(a.size()) / rows;
  double squared = 0;
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t k = 0; k < rows; ++k) {
      double dot = 0;
      for (std::int64_t j = 0; j < n; ++j) dot += a[as_size(i * n + j)] * a[as_size(k * n + j)];
      squared += dot * dot;
    }
  }
  return std::sqrt(squared);
}

TEST_P(ResidualGram, TheRemainderIsNoLessThanItIs) {
  for (const Spectrum spectrum : {Spectrum::spikes, Spectrum::power_two, Spectrum::power_half,
                                  Spectrum::exponential, Spectrum::clusters}) {
    Found found(spectrum, GetParam());
    ASSERT_TRUE(found.has_converged);
    const FromResidual known = found.known();
    const KrylovSpace& space = found.workspace.krylov;
    const std::int64_t m = found.side.short_side;
    const double exact = gram_norm(left_by(space.basis.data(), space.columns, found.side), m);
    const double d = remainder_from_residual(known, space);
    EXPECT_GE(d, exact * (1 - 1e-9)) << testing::PrintToString(spectrum);
    // With |R R^T| as it is, what is left is what products did round: far less than they may.
    const double whole = gram_norm(left_by(found.workspace.vectors.data(), kRung, found.side), m);
    const double closely = remainder_from_residual({kRung, whole, 0}, space);
    EXPECT_NEAR(closely * closely, exact * exact,
                whole * space_error(known, space) / 10 + 1e-12 * found.theta[0] * found.theta[0])
        << testing::PrintToString(spectrum);
  }
}

TEST_P(ResidualGram, WhatProductsRoundIsTakenOffTheBound) {
  Found found(Spectrum::spikes, GetParam());
  ASSERT_TRUE(found.has_converged);
  FromResidual known = found.known();
  const double e = space_error(known, found.workspace.krylov);
  const double c = found.theta[kRung - 1] + e / 2;  // above the first pair that is not kept
  const std::int64_t m = found.side.short_side;
  EXPECT_FALSE(nothing_missed_by_residual(c, m, kRung - 1, known, found.workspace));
  known.product_error = 0;
  EXPECT_TRUE(nothing_missed_by_residual(c, m, kRung - 1, known, found.workspace));
}

TEST_P(ResidualGram, AMissIsCaught) {
  for (const double size : {1.05, 3.0}) {
    // A direction that is in no one's space: tau grows by it after its pairs were found.
    Found found(Spectrum::spikes, GetParam());
    ASSERT_TRUE(found.has_converged);
    const double last = found.theta[kRung - 2];
    ASSERT_TRUE(found.proves(certificate_bound(last, 0), kRung - 1));
    const std::int64_t m = found.side.short_side, n = found.side.long_side;
    std::vector<double> away(as_size(m), 0);
    away[11] = 1;
    const KrylovSpace& space = found.workspace.krylov;
    for (int pass = 0; pass < 2; ++pass) {
      for (std::int64_t a = 0; a < space.columns; ++a) {
        const double* q = space.basis.data() + a * m;
        double dot = 0;
        for (std::int64_t i = 0; i < m; ++i) dot += q[i] * away[as_size(i)];
        for (std::int64_t i = 0; i < m; ++i) away[as_size(i)] -= dot * q[i];
      }
    }
    double squared = 0;
    for (const double x : away) squared += x * x;
    const double step = std::sqrt(size * last / squared / static_cast<double>(n));
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        const double sign = j % 3 == 0 ? 1 : -1;
        found.tau[as_size(found.side.is_transposed ? j * m + i : i * n + j)] +=
            static_cast<float>(away[as_size(i)] * sign * step);
      }
    }
    EXPECT_FALSE(found.proves(certificate_bound(last, 0), kRung - 1)) << size;
  }
}

// Around a strip and a tile, both ways round.
INSTANTIATE_TEST_SUITE_P(Shapes, ResidualGram,
                         testing::Values(Extent{200, 331}, Extent{331, 200}, Extent{256, 256},
                                         Extent{259, 257}),
                         [](const auto& row) { return testing::PrintToString(row.param); });

/// residual_gram_norm of a matrix of which nothing is taken off, and |A A^T|_F.
struct Norms {
  double found, exact;
};
Norms norms_of(const std::vector<float>& tau, const Extent& e) {
  const ShortSideFirst side(MatrixView{tau.data(), e.rows, e.cols});
  const std::int64_t u = kRung * side.short_side, b = kRung * side.long_side;
  Workspace workspace;
  std::fill_n(workspace.vectors.reserve(as_size(u)), u, 0.0);
  std::fill_n(workspace.right.reserve(as_size(b)), b, 0.0);
  double squared = 0, gram_squared = 0;
  for (const double sigma : test::reference_singular_values({tau.data(), e.rows, e.cols})) {
    squared += sigma * sigma;
    gram_squared += std::pow(sigma, 4);
  }
  return {residual_gram_norm(side, kRung, squared, workspace), std::sqrt(gram_squared)};
}

TEST(ResidualGramNorm, CountsRoundingThatGoesOneWay) {
  // Every entry scaled is 2473.4: integers alone would say 3.4e-4 less.
  const Extent e{200, 331};
  std::vector<float> tau(as_size(e.rows * e.cols));
  for (std::size_t i = 0; i < tau.size(); ++i) tau[i] = i * i % 7 < 3 ? 1.0F : -1.0F;
  const Norms norms = norms_of(tau, e);
  EXPECT_GE(norms.found, norms.exact * (1 - 1e-9));
  EXPECT_LE(norms.found, norms.exact * 1.01);
}

TEST(ResidualGramNorm, HoldsForRowsOfAnyKind) {
  for (const bool is_tall : {false, true}) {
    const Extent e = is_tall ? Extent{331, 200} : Extent{200, 331};
    std::vector<float> tau = test::matrix_with(Spectrum::flat_noise, e.rows, e.cols);
    const auto entry = [&](std::int64_t i, std::int64_t j) -> float& {
      return tau[as_size(is_tall ? j * e.cols + i : i * e.cols + j)];
    };
    for (std::int64_t i = 0; i < 24; ++i)  // one entry that outweighs its row: not above 16383
      entry(i, 2 * i) += 300.0F + static_cast<float>(i);
    for (std::int64_t j = 0; j < 331; ++j) {
      entry(30, j) = 0;        // nothing to scale
      entry(31, j) *= 1e-36F;  // no float32 scales it
      entry(32, j) *= 1e-4F;
      entry(33, j) *= 10.0F;
    }
    const Norms norms = norms_of(tau, e);
    EXPECT_GE(norms.found, norms.exact * (1 - 1e-9)) << is_tall;
    EXPECT_LE(norms.found, norms.exact * 1.01) << is_tall;
  }
}

}  // namespace
}  // namespace koine::lowrank
