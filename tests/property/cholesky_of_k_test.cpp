#include <algorithm>
#include <cmath>
#include <cstdint>

#include <gtest/gtest.h>

#include "lowrank/certificate.hpp"
#include "lowrank/host_engine.hpp"
#include "lowrank/rounded_products.hpp"
#include "support/spectra.hpp"

namespace koine::lowrank {
namespace {

using test::Spectrum;

constexpr std::int64_t kRung = 8, kKept = 7;

/// Whether workspace.gram is K, not G.
bool is_k(std::int64_t short_side, Workspace& workspace) {
  for (std::int64_t i = 0; i < short_side; ++i) {
    for (std::int64_t j = 0; j < short_side; ++j) {
      const auto entry = static_cast<double>(rounded_entry(short_side, i, j, workspace));
      if (workspace.gram.data()[j * short_side + i] != entry) return false;
    }
  }
  return true;
}

TEST(CholeskyOfK, ShowsWhatTheRemainderLeavesOpenWithoutG) {
  use_one_blas_thread();
  for (const auto& [rows, cols] : {test::Extent{200, 331}, test::Extent{331, 200}}) {
    const auto tau = test::matrix_with(Spectrum::power_half, rows, cols);
    Workspace workspace;
    HostEngine engine({tau.data(), rows, cols}, workspace);
    ASSERT_TRUE(engine.find_pairs(Solver::krylov16, kRung, 1e-6));
    workspace.coarse.without *= 10;  // as if the spectrum were flat
    const double c = certificate_bound(engine.values()[kKept - 1], 0);
    EXPECT_FALSE(engine.nothing_outside(c, kKept));
    EXPECT_TRUE(engine.nothing_above(c, kKept));
    EXPECT_TRUE(is_k(engine.short_side(), workspace));
  }
}

TEST(CholeskyOfK, LeavesToGWhatItsErrorHides) {
  use_one_blas_thread();
  const auto tau = test::matrix_with(Spectrum::power_half, 200, 331);
  Workspace workspace;
  HostEngine engine({tau.data(), 200, 331}, workspace);
  ASSERT_TRUE(engine.find_pairs(Solver::krylov16, kRung, 1e-6));
  workspace.coarse.lost = 0.1 * std::sqrt(engine.values()[kKept - 1]);
  EXPECT_TRUE(engine.nothing_above(certificate_bound(engine.values()[kKept - 1], 0), kKept));
  EXPECT_FALSE(is_k(200, workspace));
}

TEST(CholeskyOfK, CatchesAPairThatWasMissed) {
  use_one_blas_thread();
  const auto tau = test::matrix_with(Spectrum::power_half, 200, 331);
  Workspace workspace;
  HostEngine engine({tau.data(), 200, 331}, workspace);
  ASSERT_TRUE(engine.find_pairs(Solver::krylov16, kRung, 1e-6));
  // The fifth pair gives way to the eighth.
  std::copy_n(workspace.vectors.data() + 7 * 200, 200, workspace.vectors.data() + 4 * 200);
  workspace.values.data()[4] = workspace.values.data()[7];
  EXPECT_FALSE(engine.nothing_above(certificate_bound(engine.values()[4], 0), kKept));
}

}  // namespace
}  // namespace koine::lowrank
