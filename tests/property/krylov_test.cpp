#include "lowrank/krylov.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "lowrank/certificate.hpp"
#include "lowrank/eigen.hpp"
#include "lowrank/gram.hpp"
#include "lowrank/rounded_gram.hpp"
#include "support/spectra.hpp"

namespace koine::lowrank {
namespace {

using test::Spectrum;

constexpr std::int64_t kShort = 200, kLong = 240, kRung = 8;

/// The eight largest pairs of a 200 x 240 matrix and the Krylov space that they were found in.
struct Found {
  std::vector<float> tau;
  ShortSideFirst side;
  Workspace workspace;
  std::vector<double> theta;  ///< all of them, by the judge
  bool has_converged = false;

  explicit Found(Spectrum spectrum)
      : tau(test::matrix_with(spectrum, kShort, kLong)),
        side(MatrixView{tau.data(), kShort, kLong}) {
    use_one_blas_thread();
    for (const double sigma : test::reference_singular_values({tau.data(), kShort, kLong}))
      theta.push_back(sigma * sigma);
    gram_matrix(side, workspace);
    has_converged = largest_eigenpairs(Solver::krylov, side, kRung + 1, workspace);
  }
  [[nodiscard]] double floor() const { return rounding_floor(kShort, theta[0]); }
  bool proves(double c, std::int64_t kept) {
    return nothing_missed_outside(c, kShort, kept, workspace);
  }
};

class Krylov : public testing::TestWithParam<Spectrum> {};

TEST_P(Krylov, BasisIsOrthonormalAndHIsItsProjection) {
  Found found(GetParam());
  ASSERT_TRUE(found.has_converged);
  const KrylovSpace& space = found.workspace.krylov;
  const double* q = space.basis.data();
  const double bound = 8 * kShort * 0x1p-53;
  for (std::int64_t a = 0; a < space.columns; ++a) {
    for (std::int64_t b = a; b < space.columns; ++b) {
      double dot = 0;
      for (std::int64_t i = 0; i < kShort; ++i) dot += q[a * kShort + i] * q[b * kShort + i];
      ASSERT_NEAR(dot, a == b ? 1 : 0, bound) << a << " " << b;
    }
  }
  const double* gram = found.workspace.gram.data();
  for (std::int64_t a = 0; a < space.columns; a += 7) {  // H_ab = q_a^T G q_b
    for (std::int64_t b = a; b < space.columns; b += 5) {
      double sum = 0;
      for (std::int64_t i = 0; i < kShort; ++i) {
        for (std::int64_t j = 0; j < kShort; ++j) {
          const double g = i >= j ? gram[j * kShort + i] : gram[i * kShort + j];
          sum += q[a * kShort + i] * g * q[b * kShort + j];
        }
      }
      ASSERT_NEAR(space.projection.data()[b * space.lead + a], sum, 2 * found.floor()) << a << b;
    }
  }
}

TEST_P(Krylov, FindsTheJudgesValues) {
  Found found(GetParam());
  ASSERT_TRUE(found.has_converged);
  for (std::size_t i = 0; i < kRung; ++i)
    EXPECT_NEAR(found.workspace.values.data()[i], found.theta[i], 2 * found.floor()) << i;
  EXPECT_LE(largest_residual(kShort, kRung, found.workspace), 2e-10);
}

TEST_P(Krylov, TheRemainderNeverProvesWhatIsNotSo) {
  Found found(GetParam());
  ASSERT_TRUE(found.has_converged);
  for (std::size_t kept = 1; kept < kRung; ++kept) {
    const double last = found.theta[kept - 1], next = found.theta[kept];
    const auto pairs = static_cast<std::int64_t>(kept);
    if (next > last * (1 - 1e-9) || next <= 4 * found.floor()) continue;  // a cluster; nothing left
    // One more value than is kept lies above a bound just below it.
    EXPECT_FALSE(found.proves(next * (1 - 1e-6) - found.floor(), pairs)) << kept;
    // And two more above the value after that.
    EXPECT_FALSE(found.proves(found.theta[kept + 1] * (1 - 1e-6), pairs)) << kept;
  }
}

TEST_P(Krylov, AMissIsCaughtWhereverItLies) {
  for (std::size_t missed = 0; missed < kRung; ++missed) {
    Found found(GetParam());
    ASSERT_TRUE(found.has_converged);
    if (found.theta[missed] < found.theta[kRung - 1] * (1 + 1e-5) + 4 * found.floor()) continue;
    // G grows by a direction that the space does not have: twice the missed pair's value along what
    // is orthogonal to all of Q.
    KrylovSpace& space = found.workspace.krylov;
    std::vector<double> away(kShort, 0);
    away[missed] = 1;
    for (int pass = 0; pass < 2; ++pass) {
      for (std::int64_t a = 0; a < space.columns; ++a) {
        const double* q = space.basis.data() + a * kShort;
        double dot = 0;
        for (std::int64_t i = 0; i < kShort; ++i) dot += q[i] * away[static_cast<std::size_t>(i)];
        for (std::int64_t i = 0; i < kShort; ++i) away[static_cast<std::size_t>(i)] -= dot * q[i];
      }
    }
    double norm = 0;
    for (const double x : away) norm += x * x;
    if (norm < 1e-6) continue;  // the space is everything
    double* gram = found.workspace.gram.data();
    for (std::size_t j = 0; j < kShort; ++j) {
      for (std::size_t i = j; i < kShort; ++i)
        gram[j * kShort + i] += found.theta[missed] * away[i] * away[j] / norm;
    }
    const double bound = certificate_bound(found.workspace.values.data()[kRung - 1], found.floor());
    EXPECT_FALSE(found.proves(bound, kRung)) << missed;
    EXPECT_FALSE(nothing_missed_above(bound, kShort, kRung, found.workspace)) << missed;
  }
}

/// G in float64, whole.
ApplyGram product_with(const std::vector<double>& gram) {
  return [&gram](std::int64_t width, const double* block, double* image) {
    std::fill_n(image, width * kShort, 0.0);
    for (std::int64_t v = 0; v < width; ++v) {
      for (std::int64_t j = 0; j < kShort; ++j) {
        for (std::int64_t i = 0; i < kShort; ++i)
          image[v * kShort + i] +=
              gram[static_cast<std::size_t>(j * kShort + i)] * block[v * kShort + j];
      }
    }
  };
}

TEST_P(Krylov, ALookKnowsThePairsBeforeTheLastProduct) {
  Found found(GetParam());
  std::vector<double> gram(kShort * kShort);
  for (std::size_t j = 0; j < kShort; ++j) {
    for (std::size_t i = 0; i < kShort; ++i)
      gram[j * kShort + i] = found.workspace.gram.data()[std::min(i, j) * kShort + std::max(i, j)];
  }
  const ApplyGram apply = product_with(gram);
  Workspace workspace;
  bool says = false;
  int looks = 0;
  double worst = 0;
  const KrylovLook look{[&](std::int64_t width, const double* block, double* inner) {
                          std::vector<double> image(static_cast<std::size_t>(width * kShort));
                          apply(width, block, image.data());
                          for (std::int64_t j = 0; j < width; ++j) {
                            for (std::int64_t i = 0; i < width; ++i) {
                              inner[j * width + i] = 0;
                              for (std::int64_t k = 0; k < kShort; ++k)
                                inner[j * width + i] +=
                                    block[i * kShort + k] *
                                    image[static_cast<std::size_t>(j * kShort + k)];
                            }
                          }
                        },
                        [&] {
                          ++looks;
                          std::vector<double> image(static_cast<std::size_t>(kRung * kShort));
                          const double* u = workspace.vectors.data();
                          apply(kRung, u, image.data());
                          worst = 0;
                          for (std::int64_t k = 0; k < kRung; ++k) {
                            double sum = 0;
                            for (std::int64_t i = 0; i < kShort; ++i) {
                              const double off = image[static_cast<std::size_t>(k * kShort + i)] -
                                                 workspace.values.data()[k] * u[k * kShort + i];
                              sum += off * off;
                            }
                            worst = std::max(worst, std::sqrt(sum) / found.theta[0]);
                          }
                          return says && worst < 1e-8;
                        }};
  const KrylovAim aim{.count = kRung + 1, .target = 1e-9};
  ASSERT_TRUE(krylov_eigenpairs(kShort, aim, apply, workspace.krylov, workspace));
  const std::vector<double> plain(workspace.vectors.data(),
                                  workspace.vectors.data() + kRung * kShort);
  const std::int64_t blocks = workspace.krylov.blocks;
  KrylovAim with_look = aim;
  with_look.look = &look;
  // One that never suffices leaves no trace.
  ASSERT_TRUE(krylov_eigenpairs(kShort, with_look, apply, workspace.krylov, workspace));
  EXPECT_EQ(
      std::vector<double>(workspace.vectors.data(), workspace.vectors.data() + kRung * kShort),
      plain);
  EXPECT_EQ(workspace.krylov.blocks, blocks);
  EXPECT_FALSE(workspace.krylov.is_judged);
  says = true;
  ASSERT_TRUE(krylov_eigenpairs(kShort, with_look, apply, workspace.krylov, workspace));
  EXPECT_LE(workspace.krylov.blocks, blocks);
  // Of exact rank the space is invariant after two blocks, before the first look.
  ASSERT_EQ(workspace.krylov.is_judged, GetParam() != Spectrum::exact_rank);
  if (!workspace.krylov.is_judged) return;
  EXPECT_GT(looks, 0);
  EXPECT_LT(worst, 1e-8);
  for (std::size_t i = 0; i < kRung; ++i)
    EXPECT_NEAR(workspace.values.data()[i], found.theta[i], 1e-8 * found.theta[0]);
}

// Spectra that a space of half the matrix suffices for.
INSTANTIATE_TEST_SUITE_P(Spectra, Krylov,
                         testing::Values(Spectrum::power_two, Spectrum::exponential,
                                         Spectrum::spikes, Spectrum::exact_rank,
                                         Spectrum::clusters),
                         [](const auto& row) { return testing::PrintToString(row.param); });

TEST_P(Krylov, ASpaceThatBeginsWithPairsOfIntegersIsSmall) {
  Found found(GetParam());
  const double all = std::sqrt(found.theta[0]);
  rounded_gram(found.side, found.workspace);
  ASSERT_TRUE(largest_eigenpairs(Solver::krylov16, found.side, kRung + 1, found.workspace));
  const Coarse& coarse = found.workspace.coarse;
  EXPECT_LE(found.workspace.krylov.blocks, 4);
  EXPECT_LT(found.workspace.krylov.blocks, coarse.space.blocks);
  for (std::size_t i = 0; i < kRung; ++i) {
    const double of_k = std::sqrt(std::max(coarse.space.ritz_values.data()[i], 0.0));
    EXPECT_NEAR(of_k, std::sqrt(found.theta[i]), coarse.lost + 1e-5 * all) << i;  // Weyl
    EXPECT_NEAR(found.workspace.values.data()[i], found.theta[i], 1e-6 * found.theta[0]) << i;
  }
}

// Noise has no gap anywhere: a space of half the matrix does not have its pairs, and LAPACK does.
TEST(Krylov, GivesAFlatSpectrumToLapack) {
  for (const Spectrum spectrum : {Spectrum::flat_noise, Spectrum::fp16_delta}) {
    Found found(spectrum);
    EXPECT_FALSE(found.has_converged);
    const MatrixView view{found.tau.data(), kShort, kLong};
    const Factors factors = truncated_svd(view, {.number = {7}}, {}, found.workspace);
    EXPECT_EQ(factors.method, "host:dsyevr");
    EXPECT_EQ(factors.certificate, "cholesky");
    EXPECT_EQ(factors.fallbacks, 1);
    EXPECT_EQ(factors.iterations, 0);
  }
}

struct Proof {
  Spectrum spectrum;
  std::int64_t kept;
  const char *method, *certificate;
};

// The remainder is known to the root of rounding: where theta_r < 1e-6 theta_1, Cholesky decides;
// and integers say nothing of what lies below 2 |E|_F sigma, some 1e-3 theta_1.
TEST(Krylov, TheRemainderSufficesUnlessTheSpectrumFallsSteeply) {
  for (const Proof& proof : {Proof{Spectrum::spikes, 7, "host:krylov16", "remainder"},
                             Proof{Spectrum::exponential, 7, "host:krylov16", "remainder"},
                             Proof{Spectrum::exponential, 32, "host:krylov", "cholesky"}}) {
    const auto tau = test::matrix_with(proof.spectrum, 321, 340);
    Workspace workspace;
    const Factors factors =
        truncated_svd({tau.data(), 321, 340}, {.number = {proof.kept}}, {}, workspace);
    EXPECT_EQ(factors.method, proof.method);
    EXPECT_EQ(factors.certificate, proof.certificate) << testing::PrintToString(proof.spectrum);
    EXPECT_GT(factors.iterations, 1);
  }
}

// Equal values on both sides of the cut: G in float32 cannot prove that none of them lies above the
// bound, in float64 the margin of a millionth can.
TEST(Krylov, ACutThatFloat32CannotProveIsProvedInFloat64) {
  const auto tau = test::matrix_with(Spectrum::clusters, 256, 256);
  Workspace workspace;
  const Factors factors = truncated_svd({tau.data(), 256, 256}, {.number = {7}}, {}, workspace);
  ASSERT_LT(factors.gap, 1e-6);
  EXPECT_EQ(factors.method, "host:krylov");
  EXPECT_EQ(factors.fallbacks, 1);
  EXPECT_TRUE(factors.certified);
}

}  // namespace
}  // namespace koine::lowrank
