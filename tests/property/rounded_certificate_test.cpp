#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "lowrank/certificate.hpp"
#include "lowrank/eigen.hpp"
#include "lowrank/host_engine.hpp"
#include "lowrank/rounded_gram.hpp"
#include "lowrank/rounded_products.hpp"
#include "lowrank/rounded_proof.hpp"
#include "support/spectra.hpp"

namespace koine::lowrank {
namespace {

using test::Extent;
using test::Spectrum;

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

constexpr std::int64_t kRung = 8;

/// The rung's pairs of a matrix, K and its space.
struct Found {
  std::vector<float> tau;
  Extent extent;
  ShortSideFirst side;
  Workspace workspace;
  std::vector<double> theta;  ///< all of them, by the judge
  bool has_converged;

  Found(Spectrum spectrum, const Extent& e)
      : tau(test::matrix_with(spectrum, e.rows, e.cols)),
        extent(e),
        side(MatrixView{tau.data(), e.rows, e.cols}) {
    use_one_blas_thread();
    for (const double sigma : test::reference_singular_values({tau.data(), e.rows, e.cols}))
      theta.push_back(sigma * sigma);
    rounded_gram(side, workspace);
    has_converged = largest_eigenpairs(Solver::krylov16, side, kRung + 1, workspace);
  }

  /// The rung's pairs of K, where those of G are.
  void take_pairs_of_k() {
    const KrylovSpace& space = workspace.coarse.space;
    const std::int64_t m = side.short_side;
    for (std::int64_t p = 0; p < kRung; ++p) {
      workspace.values.data()[p] = space.ritz_values.data()[p];
      for (std::int64_t i = 0; i < m; ++i) {
        double sum = 0;
        for (std::int64_t a = 0; a < space.columns; ++a)
          sum += space.basis.data()[a * m + i] * space.ritz.data()[p * space.columns + a];
        workspace.vectors.data()[p * m + i] = sum;
      }
    }
  }

  /// |K - Q Q^T K - K Q Q^T + Q Q^T K Q Q^T|_F for `count` orthonormal vectors.
  [[nodiscard]] double norm_without(const double* vectors, std::int64_t count) const {
    const std::int64_t m = side.short_side;
    std::vector<double> k(as_size(m * m)), row(as_size(m));
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t j = 0; j < m; ++j)
        k[as_size(i * m + j)] = static_cast<double>(rounded_entry(m, i, j, workspace));
    }
    for (const bool from_left : {true, false}) {
      for (std::int64_t a = 0; a < count; ++a) {
        const double* q = vectors + a * m;
        std::ranges::fill(row, 0.0);
        const auto at = [&](std::int64_t i, std::int64_t j) -> double& {
          return k[as_size(from_left ? i * m + j : j * m + i)];
        };
        for (std::int64_t i = 0; i < m; ++i) {
          for (std::int64_t j = 0; j < m; ++j) row[as_size(j)] += q[i] * at(i, j);
        }
        for (std::int64_t i = 0; i < m; ++i) {
          for (std::int64_t j = 0; j < m; ++j) at(i, j) -= q[i] * row[as_size(j)];
        }
      }
    }
    double squared = 0;
    for (const double x : k) squared += x * x;
    return std::sqrt(squared);
  }

  [[nodiscard]] FromProducts known() const {
    return {workspace.coarse.without, kRung, rounded_times_error(side.short_side, workspace)};
  }
  bool shows_at_most(std::int64_t kept, double g) {
    return no_more_above(g, side.short_side, kept, kRung, workspace);
  }
};

class RoundedCertificate : public testing::TestWithParam<Extent> {};

constexpr std::array kSteep{Spectrum::spikes, Spectrum::power_two, Spectrum::power_half,
                            Spectrum::exponential, Spectrum::clusters};

TEST_P(RoundedCertificate, ProductsAreAsRightAsTheySay) {
  Found found(Spectrum::spikes, GetParam());
  ASSERT_TRUE(found.has_converged);
  const std::int64_t m = found.side.short_side, width = 11;
  const double* block = found.workspace.coarse.space.basis.data();
  std::vector<double> image(as_size(m * width));
  rounded_times_block(m, width, block, image.data(), found.workspace);
  double worst = 0;
  for (std::int64_t c = 0; c < width; ++c) {
    double squared = 0;
    for (std::int64_t i = 0; i < m; ++i) {
      double sum = 0;
      for (std::int64_t j = 0; j < m; ++j)
        sum += static_cast<double>(rounded_entry(m, i, j, found.workspace)) * block[c * m + j];
      squared += std::pow(image[as_size(c * m + i)] - sum, 2);
    }
    worst = std::max(worst, std::sqrt(squared));
  }
  const double bound = rounded_times_error(m, found.workspace);
  EXPECT_LE(worst, bound);
  EXPECT_LE(bound, 2e-5 * std::sqrt(found.workspace.coarse.squared));
}

TEST_P(RoundedCertificate, NoBoundIsBelowWhatItBounds) {
  for (const Spectrum spectrum : kSteep) {
    Found found(spectrum, GetParam());
    ASSERT_TRUE(found.has_converged);
    const KrylovSpace& space = found.workspace.coarse.space;
    found.take_pairs_of_k();
    const double without = found.norm_without(found.workspace.vectors.data(), kRung);
    EXPECT_GE(found.workspace.coarse.without, without * (1 - 1e-9));
    EXPECT_LE(found.workspace.coarse.without, without * 1.001 + 2e-5 * found.theta[0]);
    const double exact = found.norm_without(space.basis.data(), space.columns);
    const FromProducts known = found.known();
    EXPECT_GE(remainder_from_products(known, space, found.workspace), exact * (1 - 1e-9));
    // With |P K P| as it is, what is left is what products did round: far less than they may.
    const double closely = remainder_from_products({without, kRung, 0}, space, found.workspace);
    EXPECT_NEAR(closely * closely, exact * exact,
                without * space_error(known, space) / 10 + 1e-12 * found.theta[0] * found.theta[0])
        << testing::PrintToString(spectrum);
  }
}

TEST_P(RoundedCertificate, NeverShowsWhatIsNotSo) {
  std::int64_t shown = 0;
  for (const Spectrum spectrum : kSteep) {
    Found found(spectrum, GetParam());
    ASSERT_TRUE(found.has_converged);
    for (std::int64_t kept = 1; kept < kRung; ++kept) {
      const double above = found.theta[as_size(kept - 1)], below = found.theta[as_size(kept)];
      // More than `kept` lie above it: nothing may show otherwise.
      EXPECT_FALSE(found.shows_at_most(kept, below * (1 - 1e-9))) << kept;
      EXPECT_FALSE(found.shows_at_most(kept, below / 2)) << kept;
      shown += found.shows_at_most(kept, above * (1 - 1e-5)) ? 1 : 0;
    }
  }
  EXPECT_GE(shown, 20);  // of 35; clusters have no gap at five of theirs
}

TEST_P(RoundedCertificate, CholeskyOfKNeverShowsWhatIsNotSo) {
  std::int64_t shown = 0;
  for (const Spectrum spectrum : kSteep) {
    Found found(spectrum, GetParam());
    const std::int64_t m = found.side.short_side;
    for (std::int64_t kept = 1; kept < kRung; ++kept) {
      const double above = found.theta[as_size(kept - 1)], below = found.theta[as_size(kept)];
      const auto shows = [&](double g) {
        return no_more_above_by_cholesky(g, m, kept, found.workspace);
      };
      EXPECT_FALSE(shows(below * (1 - 1e-9))) << kept;
      EXPECT_FALSE(shows(below / 2)) << kept;
      shown += shows(above * (1 - 1e-5)) ? 1 : 0;
    }
  }
  EXPECT_GE(shown, 20);  // of 35, as above
}

/// The least sqrt(g), between two values, that no more than `kept` are shown to lie above.
double least_shown(Found& found, std::int64_t kept) {
  double below = std::sqrt(found.theta[as_size(kept)]) / 2;
  double above = std::sqrt(found.theta[as_size(kept - 1)]) * (1 - 1e-5);
  EXPECT_TRUE(found.shows_at_most(kept, above * above));
  for (int step = 0; step < 50; ++step) {
    const double middle = (below + above) / 2;
    (found.shows_at_most(kept, middle * middle) ? above : below) = middle;
  }
  return above;
}

TEST_P(RoundedCertificate, WhatIsLostAndRoundedIsTakenOffTheBound) {
  Found found(Spectrum::spikes, GetParam());
  ASSERT_TRUE(found.has_converged);
  Coarse& coarse = found.workspace.coarse;
  const std::int64_t m = found.side.short_side, kept = kRung - 1;
  const double with_loss = least_shown(found, kept), lost = coarse.lost;
  coarse.lost = 0;
  const double without_loss = least_shown(found, kept);
  EXPECT_NEAR(with_loss - without_loss, lost, 1e-9 * with_loss);
  const double error = found.theta[as_size(kept)] / 50;
  coarse.error += error;
  EXPECT_NEAR(std::pow(least_shown(found, kept), 2) - std::pow(without_loss, 2), error,
              1e-9 * found.theta[0]);
  FromProducts known = found.known();
  const double e = space_error(known, coarse.space);
  const double c = coarse.space.ritz_values.data()[kept] + e / 2;
  EXPECT_FALSE(nothing_missed_by_products(c, m, kept, known, coarse.space, found.workspace));
  known.product_error = 0;
  EXPECT_TRUE(nothing_missed_by_products(c, m, kept, known, coarse.space, found.workspace));
}

TEST_P(RoundedCertificate, AMissIsCaught) {
  for (const double size : {1.05, 3.0}) {
    // A direction that is in no one's space: tau grows by it after its pairs were found.
    Found found(Spectrum::spikes, GetParam());
    ASSERT_TRUE(found.has_converged);
    const std::int64_t kept = kRung - 1;
    const double last = found.theta[as_size(kept - 1)];
    ASSERT_TRUE(found.shows_at_most(kept, last * (1 - 1e-5)));
    const std::int64_t m = found.side.short_side, n = found.side.long_side;
    std::vector<double> away(as_size(m), 0);
    away[11] = 1;
    const KrylovSpace& space = found.workspace.coarse.space;
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
    rounded_gram(found.side, found.workspace);
    found.take_pairs_of_k();
    found.workspace.coarse.without = rounded_norm_without(m, kRung, found.workspace);
    EXPECT_FALSE(found.shows_at_most(kept, last * (1 - 1e-5))) << size;
  }
}

TEST_P(RoundedCertificate, WhatPairsLackIsTakenOffTheBound) {
  const Extent& e = GetParam();
  const auto tau = test::matrix_with(Spectrum::spikes, e.rows, e.cols);
  use_one_blas_thread();
  Workspace workspace;
  HostEngine engine({tau.data(), e.rows, e.cols}, workspace);
  ASSERT_TRUE(engine.find_pairs(Solver::krylov16, kRung, 1e-6));
  const std::int64_t kept = kRung - 1;
  const double c = certificate_bound(engine.values()[kept - 1], 0);
  EXPECT_TRUE(engine.nothing_outside(c, kept));
  workspace.vectors.data()[2 * engine.short_side() + 5] += 0.5;  // no eigenvector any more
  EXPECT_FALSE(engine.nothing_outside(c, kept));
}

// Around a strip, a tile and a panel, both ways round.
INSTANTIATE_TEST_SUITE_P(Shapes, RoundedCertificate,
                         testing::Values(Extent{200, 331}, Extent{331, 200}, Extent{256, 256},
                                         Extent{259, 257}),
                         [](const auto& row) { return testing::PrintToString(row.param); });

}  // namespace
}  // namespace koine::lowrank
