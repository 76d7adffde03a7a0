#include <algorithm>
#include <cmath>
#include <string>

#include "device_lane.hpp"
#include "lowrank/device_engine.hpp"
#include "lowrank/product.hpp"
#include "support/spectra.hpp"

namespace koine::lowrank {
namespace {

using backend::cuda::Gram;
using backend::cuda::PairsOf;
using test::kSlots;
using test::Spectrum;

struct Case {
  Spectrum spectrum;
  std::int64_t rows, cols, kept;
  const char* method;
  Gram gram = Gram::float64;
};
std::ostream& operator<<(std::ostream& out, const Case& c) {
  test::PrintTo(c.spectrum, &out);
  out << " [" << c.rows << ", " << c.cols << "] rank " << c.kept;
  return c.gram == Gram::float32 ? out << " by float32" : out;
}

double difference(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::pow(static_cast<double>(a[i]) - b[i], 2);
  return std::sqrt(sum);
}

std::vector<float> product_of(const Factors& factors) {
  std::vector<float> low(static_cast<std::size_t>(factors.rows * factors.cols));
  product(factors, low);
  return low;
}

class DeviceFactors : public test::DeviceCase<testing::TestWithParam<Case>> {
 protected:
  /// Of a slot, as a merge asks for them.
  Factors factorise(DeviceBatch& batch, int slot, const RankTarget& target,
                    const SvdOptions& options = {}) {
    DeviceEngine engine(batch, slot, squared(slot), workspace_);
    return truncated_svd(engine, target, options);
  }
  Workspace workspace_;
};

// Residuals of 1e-8 theta_1 (of G in float32: 1e-6) turn the kept directions by twice that / gap at
// most, on either side; factors are rounded to 2^-24, and so is every step of the product's chain.
TEST_P(DeviceFactors, AreTheHosts) {
  const auto [spectrum, rows, cols, kept, method, gram] = GetParam();
  lane().sum_gram_in(gram);
  const auto tau = test::matrix_with(spectrum, rows, cols);
  load(rows, cols, {tau});
  DeviceBatch batch(lane());
  const Factors found = factorise(batch, 0, {.number = {kept}});
  const Factors host = truncated_svd({tau.data(), rows, cols}, {.number = {kept}},
                                     {.mode = Mode::exact}, workspace_);
  EXPECT_EQ(found.method, method);
  EXPECT_TRUE(found.certified) << found.residual;
  ASSERT_EQ(found.kept, host.kept);
  EXPECT_NEAR(found.energy, host.energy, 1e-12 * host.tau_squared * static_cast<double>(kept));
  const auto at = [](const Factors& f, std::int64_t i) {
    return static_cast<std::size_t>(i) < f.sigma.size() ? f.sigma[static_cast<std::size_t>(i)] : 0;
  };
  const double last = at(host, host.kept - 1), next = at(host, host.kept), first = host.sigma[0];
  const double gap = (last * last - next * next) / (first * first);
  if (gap < 1e-6) return;  // any direction among equals will do
  const double count = static_cast<double>(kept);
  const double residual = gram == Gram::float32 ? 1e-6 : 1e-8;
  const double bound = first * std::sqrt(count) * (4 * residual / gap + 4 * (count + 2) * 0x1p-24);
  EXPECT_LE(difference(product_of(found), product_of(host)), bound);
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, DeviceFactors,
    testing::Values(
        // A Krylov space: square, wide, tall; with spikes, steep, of exact rank.
        Case{Spectrum::spikes, 256, 256, 7, "cuda:krylov"},
        Case{Spectrum::spikes, 200, 331, 7, "cuda:krylov"},
        Case{Spectrum::spikes, 331, 200, 7, "cuda:krylov"},
        Case{Spectrum::exponential, 256, 301, 15, "cuda:krylov"},
        Case{Spectrum::exponential, 321, 330, 32, "cuda:krylov"},
        Case{Spectrum::exact_rank, 256, 256, 7, "cuda:krylov"},
        // Values near float32's limits; too flat for a space, with ties and zeros, longer than a
        // panel.
        Case{Spectrum::fp16_delta, 256, 2100, 7, "cuda:syevd"},
        Case{Spectrum::tiny, 200, 256, 7, "cuda:krylov"},
        Case{Spectrum::huge, 200, 256, 7, "cuda:krylov"},
        // Small, or of a high rung: all eigenpairs.
        Case{Spectrum::spikes, 40, 60, 7, "cuda:syevd"},
        Case{Spectrum::spikes, 60, 40, 7, "cuda:syevd"},
        Case{Spectrum::spikes, 1, 7, 1, "cuda:syevd"},
        Case{Spectrum::power_half, 33, 31, 30, "cuda:syevd"},
        Case{Spectrum::power_two, 150, 140, 100, "cuda:syevd"},
        // G in float32: one chain and several, the last one short; too close for its error; squares
        // that do not fit.
        Case{Spectrum::spikes, 256, 256, 7, "cuda:krylov-gram32", Gram::float32},
        Case{Spectrum::spikes, 200, 331, 7, "cuda:krylov-gram32", Gram::float32},
        Case{Spectrum::spikes, 331, 200, 7, "cuda:krylov-gram32", Gram::float32},
        Case{Spectrum::spikes, 700, 200, 7, "cuda:krylov-gram32", Gram::float32},
        Case{Spectrum::exponential, 321, 330, 32, "cuda:krylov", Gram::float32},
        Case{Spectrum::exact_rank, 256, 256, 7, "cuda:krylov-gram32", Gram::float32},
        Case{Spectrum::tiny, 200, 256, 7, "cuda:krylov", Gram::float32},
        Case{Spectrum::huge, 200, 256, 7, "cuda:krylov", Gram::float32}));

class DeviceBatches : public DeviceFactors {
 protected:
  /// A matrix of spikes alone, twice, and then at every place between others. Neighbours that need
  /// another G, or another solver, are asked before it. @return how it was solved
  std::string expect_no_bit_changed(std::int64_t rows, std::int64_t cols, std::int64_t kept) {
    const auto tau = test::matrix_with(Spectrum::spikes, rows, cols);
    const auto steep = test::matrix_with(Spectrum::exponential, rows, cols);
    const auto flat = test::matrix_with(Spectrum::flat_noise, rows, cols);
    const auto huge = test::matrix_with(Spectrum::huge, rows, cols);
    const std::vector<float> zero(tau.size());
    const RankTarget target{.number = {kept}};
    const auto alone = [&] {
      load(rows, cols, {tau});
      DeviceBatch batch(lane());
      return factorise(batch, 0, target);
    };
    const Factors expected = alone();
    expect_same(alone(), expected, "again");
    for (int place = 0; place < kSlots; ++place) {
      std::vector<std::vector<float>> taus{steep, flat, zero, huge};
      taus[static_cast<std::size_t>(place)] = tau;
      load(rows, cols, taus);
      DeviceBatch batch(lane());
      for (int other = 1; other < kSlots; ++other)
        if (taus[static_cast<std::size_t>((place + other) % kSlots)] != zero)
          (void)factorise(batch, (place + other) % kSlots, target);
      expect_same(factorise(batch, place, target), expected, "slot " + std::to_string(place));
    }
    return expected.method;
  }

 private:
  static void expect_same(const Factors& found, const Factors& expected, const std::string& where) {
    EXPECT_EQ(found.u, expected.u) << where;
    EXPECT_EQ(found.b, expected.b) << where;
    EXPECT_EQ(found.sigma, expected.sigma) << where;
    EXPECT_EQ(found.certificate, expected.certificate) << where;
  }
};

TEST_F(DeviceBatches, ABatchChangesNoBit) {
  for (const Gram gram : {Gram::float64, Gram::float32}) {
    lane().sum_gram_in(gram);
    EXPECT_EQ(expect_no_bit_changed(200, 230, 7),
              gram == Gram::float32 ? "cuda:krylov-gram32" : "cuda:krylov");
  }
}

// cuSOLVER's batched solver promises nothing of its bits: at the sizes that a merge gives it.
TEST_F(DeviceBatches, ABatchOfLargeMatricesChangesNoBit) {
  if (is_emulated()) GTEST_SKIP() << "minutes there, and LAPACK solves one matrix after the other";
  expect_no_bit_changed(1280, 1280, 7);
  expect_no_bit_changed(1280, 1600, 63);
}

TEST_F(DeviceBatches, FlatSpectraGoToTheFullSolver) {
  load(256, 256, {test::matrix_with(Spectrum::flat_noise, 256, 256)});
  DeviceBatch batch(lane());
  const Factors found = factorise(batch, 0, {.number = {7}});
  EXPECT_EQ(found.method, "cuda:syevd");
  EXPECT_EQ(found.fallbacks, 1);
  EXPECT_TRUE(found.certified);
}

// Asking about one slot asks about all of them: the answers are those of each alone.
TEST_F(DeviceBatches, ProofsOfABatchAreThoseOfEach) {
  const auto tau = test::matrix_with(Spectrum::spikes, 200, 230);
  const auto other = test::matrix_with(Spectrum::power_two, 200, 230);
  for (const Gram gram : {Gram::float64, Gram::float32}) {
    const PairsOf of = backend::cuda::pairs_of(gram);
    const double margin = gram == Gram::float32 ? 1e-2 : 1e-6;  // of the last of power_two's
    load(200, 230, {tau, other, tau});
    DeviceBatch batch(lane());
    std::vector<double> last;
    for (int slot = 0; slot < 3; ++slot) last.push_back(batch.krylov(gram, 8, slot).values[6]);
    EXPECT_EQ(last[0], last[2]);
    for (int slot = 0; slot < 3; ++slot) {
      const double theta = last[static_cast<std::size_t>(slot)];
      EXPECT_TRUE(batch.is_definite(slot, {of, 7}, theta * (1 + margin))) << slot;
      EXPECT_FALSE(batch.is_definite(slot, {of, 6}, theta * (1 - margin))) << slot;  // one left out
      EXPECT_TRUE(batch.is_definite(slot, {of, 6}, theta * (1 + margin))) << slot;
    }
  }
}

TEST_F(DeviceBatches, ZeroIsNotFactorised) {
  load(200, 200, {std::vector<float>(40000)});
  DeviceBatch batch(lane());
  EXPECT_EQ(factorise(batch, 0, {.number = {7}}).method, "none");
}

TEST_F(DeviceBatches, AnEnergyClimbsTheRungs) {
  load(200, 210, {test::matrix_with(Spectrum::power_two, 200, 210)});
  DeviceBatch batch(lane());
  const Factors found = factorise(batch, 0, {.number = {}, .energy = 0.9999});
  EXPECT_GE(found.energy, 0.9999 * found.tau_squared);
  EXPECT_EQ(found.method, "cuda:krylov");
}

TEST_F(DeviceBatches, ExactTakesAllEigenpairs) {
  load(200, 200, {test::matrix_with(Spectrum::spikes, 200, 200)});
  DeviceBatch batch(lane());
  EXPECT_EQ(factorise(batch, 0, {.number = {7}}, {.mode = Mode::exact}).method, "cuda:syevd");
}

/// Calls of the emulated libraries that fail while it lives.
class Failing {
 public:
  explicit Failing(const char* calls) { ::setenv("KOINE_EMULATED_FAIL", calls, 1); }
  ~Failing() { ::unsetenv("KOINE_EMULATED_FAIL"); }
};

TEST_F(DeviceBatches, WhatASolverSaysIsActedOn) {
  if (!is_emulated()) GTEST_SKIP() << "cuSOLVER does not fail when asked to";
  const auto tau = test::matrix_with(Spectrum::spikes, 220, 200);
  const Factors host =
      truncated_svd({tau.data(), 220, 200}, {.number = {7}}, {.mode = Mode::exact}, workspace_);
  struct Step {
    const char *calls, *method;
    std::int64_t fallbacks;
  };
  for (const Step& step :
       {Step{"XsyevBatched", "cuda:syevd", 1}, Step{"XsyevBatched_bufferSize", "cuda:syevd", 1},
        Step{"XsyevBatched,Xsyevd", "cuda:gesvdp", 2},
        Step{"XsyevBatched,Xsyevd,Xgesvdp", "cuda:gesvdj", 3},
        Step{"XsyevBatched,Xsyevd,Xgesvdp_sigma", "cuda:gesvdj", 3},
        Step{"XsyevBatched,Xsyevd,Xgesvdp,Dgesvdj", "host:dgesdd", 4}}) {
    const Failing failing(step.calls);
    load(220, 200, {tau});
    DeviceBatch batch(lane());
    const Factors found = factorise(batch, 0, {.number = {7}});
    EXPECT_EQ(found.method, step.method) << step.calls;
    EXPECT_EQ(found.fallbacks, step.fallbacks) << step.calls;
    EXPECT_TRUE(found.certified) << step.calls;
    EXPECT_LE(difference(product_of(found), product_of(host)), 1e-5 * host.sigma[0]) << step.calls;
  }
}

}  // namespace
}  // namespace koine::lowrank
