#include "lowrank/residual_gram.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "lowrank/certificate.hpp"
#include "lowrank/eigen.hpp"
#include "lowrank/gram16_kernels.hpp"
#include "lowrank/skinny.hpp"
#include "lowrank/through_tau.hpp"
#include "support/spectra.hpp"

namespace koine::lowrank {
namespace {

using test::Spectrum;

template <typename T>
using Aligned = std::vector<T, CacheLineAllocator<T>>;

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

std::int64_t half_of(TermPair pair, bool is_high) {
  return static_cast<std::int16_t>(is_high ? pair >> 16 : pair & 0xFFFF);
}

/// A row of 16 bits, of a length just below 46340, in a strip of [pairs, 16].
void fill_row(std::int64_t pairs, std::int64_t row, unsigned seed, TermPair* strip) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal;
  std::vector<double> x(as_size(2 * pairs));
  double squared = 0;
  for (double& value : x) {
    value = normal(generator);
    squared += value * value;
  }
  const double scale = 46000 / std::sqrt(squared);
  const auto half = [&](std::int64_t k) {
    return static_cast<TermPair>(
        static_cast<std::int16_t>(std::clamp(x[as_size(k)] * scale, -16383.0, 16383.0)));
  };
  for (std::int64_t k = 0; k < pairs; ++k)
    strip[k * kStripRows + row] = (half(2 * k) & 0xFFFF) | half(2 * k + 1) << 16;
}

/// Of every row, the sum of <even pair, odd pair>.
std::vector<std::int32_t> inner_of(std::int64_t pairs, std::int64_t strips,
                                   const Aligned<TermPair>& q) {
  std::vector<std::int32_t> inner(as_size(strips * kStripRows), 0);
  for (std::int64_t row = 0; row < strips * kStripRows; ++row) {
    const TermPair* strip = q.data() + row / kStripRows * pairs * kStripRows + row % kStripRows;
    for (std::int64_t k = 0; k < pairs; k += 2) {
      const TermPair even = strip[k * kStripRows], odd = strip[(k + 1) * kStripRows];
      inner[as_size(row)] += static_cast<std::int32_t>(half_of(even, false) * half_of(odd, false) +
                                                       half_of(even, true) * half_of(odd, true));
    }
  }
  return inner;
}

class Gram16 : public testing::TestWithParam<std::int64_t> {};

TEST_P(Gram16, EveryVariantIsExact) {
  const std::int64_t pairs = GetParam();
  for (std::int64_t strips = 1; strips <= kTileStrips; ++strips) {
    Aligned<TermPair> left(as_size(pairs * kStripRows)),
        right(as_size(pairs * kStripRows * strips));
    for (std::int64_t i = 0; i < kStripRows; ++i) fill_row(pairs, i, 1, left.data());
    for (std::int64_t j = 0; j < strips * kStripRows; ++j)
      fill_row(pairs, j % kStripRows, j < 5 ? 1 : static_cast<unsigned>(j),  // equal rows: longest
               right.data() + j / kStripRows * pairs * kStripRows);
    const auto left_inner = inner_of(pairs, 1, left), right_inner = inner_of(pairs, strips, right);
    std::vector<double> weights(as_size(kStripRows));
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = 1 + static_cast<double>(i) / 7;
    std::vector<double> wanted(as_size(strips * kStripRows), 0);
    for (std::size_t j = 0; j < wanted.size(); ++j) {
      const auto column = static_cast<std::int64_t>(j);
      for (std::int64_t i = 0; i < kStripRows; ++i) {
        std::int64_t sum = 0;
        for (std::int64_t k = 0; k < pairs; ++k) {
          const TermPair a = left[as_size(k * kStripRows + i)];
          const TermPair b =
              right[as_size((column / kStripRows * pairs + k) * kStripRows + column % kStripRows)];
          sum += half_of(a, false) * half_of(b, false) + half_of(a, true) * half_of(b, true);
        }
        const auto g = static_cast<double>(sum);
        wanted[j] += g * g * weights[as_size(i)];
      }
    }
    for (const Gram16Variant& variant : gram16_variants().all) {
      if (variant.tile == nullptr) continue;
      std::vector<double> squares(wanted.size());
      variant.tile({left.data(), right.data(), pairs, strips, left_inner.data(), right_inner.data(),
                    weights.data(), squares.data()});
      EXPECT_EQ(squares, wanted) << variant.name << " " << strips;
    }
  }
}

TEST_P(Gram16, EveryVariantSubtractsAndRoundsAlike) {
  constexpr std::int64_t kKept = 8;
  const std::int64_t pairs = GetParam(), terms = 2 * pairs - 3;  // the rest is filled up
  std::mt19937 generator(3);
  std::normal_distribution<float> normal;
  const auto numbers = [&](std::int64_t count) {
    Aligned<float> x(as_size(count));
    for (float& value : x) value = normal(generator);
    return x;
  };
  const auto a = numbers(terms * kStripRows), u = numbers(kKept * kStripRows),
             b = numbers(terms * kKept);
  const Aligned<float> scale(as_size(kStripRows), 1000.0F);
  Aligned<float> r;
  Aligned<TermPair> q;
  std::vector<double> squared, lost;
  std::vector<float> largest;
  for (const Gram16Variant& variant : gram16_variants().all) {
    if (variant.tile == nullptr) continue;
    Aligned<float> one_r = a;
    Aligned<TermPair> one_q(as_size(pairs * kStripRows), 7);
    std::vector<double> one_squared(as_size(kStripRows)), one_lost(as_size(kStripRows));
    std::vector<float> one_largest(as_size(kStripRows));
    std::vector<std::int32_t> one_inner(as_size(kStripRows));
    variant.residual(
        {one_r.data(), u.data(), b.data(), terms, kKept, one_squared.data(), one_largest.data()});
    variant.round({one_r.data(), scale.data(), terms, pairs, one_q.data(), one_lost.data(),
                   one_inner.data()});
    EXPECT_EQ(one_inner, inner_of(pairs, 1, one_q)) << variant.name;
    for (std::int64_t k = 0; k < terms; ++k) {
      for (std::int64_t i = 0; i < kStripRows; ++i) {
        const double scaled = static_cast<double>(one_r[as_size(k * kStripRows + i)] * 1000.0F);
        ASSERT_NEAR(
            static_cast<double>(half_of(one_q[as_size(k / 2 * kStripRows + i)], k % 2 == 1)),
            scaled, 0.5);
      }
    }
    for (std::int64_t i = 0; i < kStripRows; ++i) {
      ASSERT_EQ(half_of(one_q[as_size((pairs - 2) * kStripRows + i)], true), 0);
      ASSERT_EQ(one_q[as_size((pairs - 1) * kStripRows + i)], 0U);
      float most = 0;
      for (std::int64_t k = 0; k < terms; ++k)
        most = std::max(most, std::fabs(one_r[as_size(k * kStripRows + i)]));
      ASSERT_EQ(one_largest[as_size(i)], most) << variant.name;
    }
    if (r.empty()) {
      r = one_r;
      q = one_q;
      squared = one_squared;
      lost = one_lost;
    }
    EXPECT_EQ(one_r, r) << variant.name;
    EXPECT_EQ(one_q, q) << variant.name;
    EXPECT_EQ(one_squared, squared) << variant.name;
    EXPECT_EQ(one_lost, lost) << variant.name;
  }
}

// Two pairs; as many and more than are taken at a time; not a multiple of it.
INSTANTIATE_TEST_SUITE_P(Pairs, Gram16, testing::Values(2, 128, 134, 300));

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

TEST(GramTimesBlock, LiesWithinItsErrorBound) {
  // Equal terms are rounded the same way over long stretches of a chain.
  const Extent e{300, 700};
  const std::vector<float> tau(as_size(e.rows * e.cols), 1.0F + 0x1p-9F);
  const double entry = 1.0 + 0x1p-9;
  const std::vector<double> x(as_size(e.rows), 1 / std::sqrt(static_cast<double>(e.rows)));
  for (const bool is_tall : {false, true}) {
    const ShortSideFirst side(is_tall ? MatrixView{tau.data(), e.cols, e.rows}
                                      : MatrixView{tau.data(), e.rows, e.cols});
    Workspace workspace;
    std::vector<double> image(x.size());
    gram_times_block(panels_of(side, workspace), 1, x.data(), image.data(), workspace);
    const double exact =
        entry * entry * static_cast<double>(e.cols) * std::sqrt(static_cast<double>(e.rows));
    double squared = 0;
    for (const double y : image) squared += (y - exact) * (y - exact);
    const double tau_squared = entry * entry * static_cast<double>(e.rows * e.cols);
    EXPECT_LE(std::sqrt(squared), gram_times_block_error(side, tau_squared));
    EXPECT_GT(std::sqrt(squared), gram_times_block_error(side, tau_squared) / 100);
  }
}

}  // namespace
}  // namespace koine::lowrank
