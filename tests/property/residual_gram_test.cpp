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
  bool proves(double c, std::int64_t kept) {
    return nothing_missed_beside(c, side.short_side, kept,
                                 {kRung, norm(), gram_times_block_error(side, tau_squared)},
                                 workspace);
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

TEST_P(ResidualGram, ARowThatOutweighsAllOthersIsRoundedByItself) {
  std::vector<float> tau = test::matrix_with(Spectrum::spikes, GetParam().rows, GetParam().cols);
  const auto cols = as_size(GetParam().cols);
  for (std::size_t j = 0; j < cols; ++j) tau[3 * cols + j] *= 1e-4F;
  tau[7 * cols + 5] *= 1e4F;  // and one entry that outweighs its row
  Found found(std::move(tau), GetParam());
  ASSERT_TRUE(found.has_converged);
  EXPECT_GE(found.norm(), found.exact_norm() * (1 - 1e-9));
}

TEST_P(ResidualGram, NeverProvesWhatIsNotSo) {
  for (const Spectrum spectrum :
       {Spectrum::spikes, Spectrum::power_two, Spectrum::exponential, Spectrum::clusters}) {
    Found found(spectrum, GetParam());
    ASSERT_TRUE(found.has_converged);
    for (std::size_t kept = 1; kept < kRung; ++kept) {
      const auto pairs = static_cast<std::int64_t>(kept);
      // One more value than is kept lies above a bound just below it.
      if (found.theta[kept] < found.theta[kept - 1] * (1 - 1e-5)) {
        EXPECT_FALSE(found.proves(found.theta[kept] * (1 - 1e-5), pairs)) << kept;
      }
    }
  }
}

TEST_P(ResidualGram, AMissIsCaught) {
  const Found without(Spectrum::spikes, GetParam());
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

}  // namespace
}  // namespace koine::lowrank
