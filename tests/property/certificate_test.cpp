#include "lowrank/certificate.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "lowrank/eigen.hpp"
#include "lowrank/gram.hpp"
#include "support/spectra.hpp"

namespace koine::lowrank {
namespace {

using test::Spectrum;

/// Eigenpairs of the Gram matrix of a 60 x 90 matrix, in a workspace.
struct Pairs {
  std::vector<float> tau;
  ShortSideFirst side;
  Workspace workspace;

  Pairs(Spectrum spectrum, Solver solver, std::int64_t count = 12)
      : tau(test::matrix_with(spectrum, 60, 90)), side(MatrixView{tau.data(), 60, 90}) {
    use_one_blas_thread();
    gram_matrix(side, workspace);
    EXPECT_TRUE(largest_eigenpairs(solver, side, count, workspace));
  }
  double& theta(std::int64_t i) { return workspace.values.data()[i]; }
  double* vector(std::int64_t i) { return workspace.vectors.data() + i * 60; }
  bool passes(std::int64_t kept) {
    const double lowest = *std::min_element(&theta(0), &theta(0) + kept);
    return nothing_missed_above(certificate_bound(lowest, rounding_floor(60, theta(0))), 60, kept,
                                workspace);
  }
};

class EachSolver : public testing::TestWithParam<Solver> {};

TEST_P(EachSolver, GivesAccuratePairs) {
  Pairs pairs(Spectrum::power_half, GetParam());
  EXPECT_LE(largest_residual(60, 12, pairs.workspace), 60 * 8 * 0x1p-53);
  EXPECT_LE(orthogonality_defect(60, 12, pairs.workspace), 60 * 8 * 0x1p-53);
  EXPECT_TRUE(pairs.passes(12));
}

TEST_P(EachSolver, FindsTheSamePairs) {
  Pairs pairs(Spectrum::exponential, GetParam());
  Pairs other(Spectrum::exponential, Solver::dsyevr);
  // sin(angle) <= residual / gap, the residual 8 m u theta_1, in a Krylov space 1e-10 theta_1; the
  // smallest gap here is theta_12 - theta_13.
  const double residual = GetParam() == Solver::krylov ? 2e-10 : 16 * 60 * 0x1p-53;
  const double bound = residual * pairs.theta(0) / (pairs.theta(11) * (1 - std::exp(-0.5)));
  for (std::int64_t i = 0; i < 12; ++i) {
    EXPECT_NEAR(pairs.theta(i), other.theta(i), 16 * 60 * 0x1p-53 * pairs.theta(0));
    for (std::int64_t j = 0; j < 60; ++j)
      ASSERT_NEAR(pairs.vector(i)[j], other.vector(i)[j], bound);
  }
}

TEST_P(EachSolver, LeavesTheGramMatrixAsItIs) {
  Pairs pairs(Spectrum::spikes, GetParam());
  const double* gram = pairs.workspace.gram.data();
  const std::vector<double> after(gram, gram + 3600);
  gram_matrix(pairs.side, pairs.workspace);
  EXPECT_TRUE(std::equal(after.begin(), after.end(), pairs.workspace.gram.data()));
}

INSTANTIATE_TEST_SUITE_P(Solvers, EachSolver,
                         testing::Values(Solver::krylov, Solver::dsyevr, Solver::dsyevd,
                                         Solver::dgesdd),
                         [](const auto& row) { return method_name(row.param).substr(5); });

class PlantedMiss : public testing::TestWithParam<Spectrum> {};

TEST_P(PlantedMiss, IsCaughtWhereTheValuesDiffer) {
  for (std::int64_t missed = 0; missed < 7; ++missed) {
    Pairs pairs(GetParam(), Solver::dsyevd);
    ASSERT_TRUE(pairs.passes(7));
    ASSERT_GT(pairs.theta(missed), pairs.theta(7) * (1 + 1e-5)) << "no miss to catch";
    std::copy_n(pairs.vector(7), 60,
                pairs.vector(missed));  // the eighth pair in the place of a kept one
    pairs.theta(missed) = pairs.theta(7);
    EXPECT_LE(largest_residual(60, 7, pairs.workspace), 1e-12) << "residuals cannot see it";
    EXPECT_FALSE(pairs.passes(7)) << missed;
  }
}

INSTANTIATE_TEST_SUITE_P(Spectra, PlantedMiss,
                         testing::Values(Spectrum::flat_noise, Spectrum::power_half,
                                         Spectrum::power_two, Spectrum::exponential,
                                         Spectrum::spikes, Spectrum::fp16_delta),
                         [](const auto& row) { return testing::PrintToString(row.param); });

TEST(Certificate, AcceptsEitherMemberOfACluster) {
  Pairs pairs(Spectrum::clusters, Solver::dsyevd);  // six equal values, then six equal ones
  std::copy_n(pairs.vector(5), 60, pairs.vector(0));
  std::swap_ranges(pairs.vector(5), pairs.vector(5) + 60, pairs.vector(4));
  EXPECT_TRUE(nothing_missed_above(certificate_bound(pairs.theta(0), 0), 60, 5, pairs.workspace))
      << "values that differ by less than the margin cannot be told apart";
}

TEST(Certificate, FalseWhereAVectorIsSpoiled) {
  Pairs pairs(Spectrum::power_half, Solver::dsyevd);
  pairs.vector(2)[7] += 1e-3;
  EXPECT_GT(largest_residual(60, 7, pairs.workspace), 1e-6);
  EXPECT_GT(orthogonality_defect(60, 7, pairs.workspace), 1e-10);
}

/// Of [H B; B D] = [0.6 0.6; 0.6 0.6], one vector; no pair is taken off.
KrylovSpace one_of_two() {
  KrylovSpace space;
  space.columns = space.last_width = space.coupling_rows = space.lead = 1;
  space.projection.reserve(1)[0] = space.coupling.reserve(1)[0] = 0.6;
  space.ritz_values.reserve(1)[0] = 0.6;
  return space;
}
constexpr double kAllOfTwo = 2 * 0.6;  // |.|_F

TEST(Products, WhatTheyRoundMayLeaveMoreOutside) {
  const KrylovSpace space = one_of_two();
  Workspace workspace;
  for (const double error : {0.0, 1e-3, 0.1}) {
    const FromProducts known{kAllOfTwo, 0, error};
    const double shown = std::sqrt(3.0) * 0.6 - std::sqrt(2.0) * error;
    EXPECT_NEAR(remainder_from_products(known, space, workspace),
                std::sqrt(kAllOfTwo * kAllOfTwo - shown * shown), 1e-12);
  }
}

TEST(Products, WhatTheSpaceIsCoupledToCounts) {  // 1.2 is an eigenvalue, though H and D are 0.6
  const KrylovSpace space = one_of_two();
  Workspace workspace;
  const double whole = kAllOfTwo;
  EXPECT_FALSE(nothing_missed_by_products(1.0, 2, 0, {whole, 0, 0}, space, workspace));
  EXPECT_FALSE(nothing_missed_by_products(1.19, 2, 0, {whole, 0, 0}, space, workspace));
  EXPECT_TRUE(nothing_missed_by_products(1.21, 2, 0, {whole, 0, 0}, space, workspace));
}

}  // namespace
}  // namespace koine::lowrank
