#include "store/factor_file.hpp"

#include <cmath>
#include <filesystem>

#include <gtest/gtest.h>

#include "core/file.hpp"
#include "support/small_run.hpp"
#include "support/temporary_folder.hpp"

namespace koine::store {
namespace {

/// Rung 2 of a matrix of 2 x 3: an answer that did not converge, and one of which a triplet passes.
lowrank::Rung rung() {
  lowrank::RungAnswer flat;
  flat.method = "host:krylov";
  lowrank::RungAnswer answer;
  answer.method = "host:dsyevr";
  answer.has_converged = true;
  answer.blocks = 11;
  answer.values = {1.0 / 3, 0.1};
  answer.u = {0.1F, -0.0F};
  answer.b = {1e-40F, 2, 3e38F};  // subnormals too
  answer.verdicts.push_back({1, 1, 5e-324, true, "remainder"});
  answer.verdicts.push_back({2, 0});
  return {2, 3, 2, 1e300, true, {flat, answer}};
}

TEST(FactorFile, ReadsBackBitForBit) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "f";
  const lowrank::Rung written = rung();
  write_factors(path, "key", written);
  const auto read = read_factors(path, "key");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->rows, 2);
  EXPECT_EQ(read->cols, 3);
  EXPECT_EQ(read->rung, 2);
  EXPECT_EQ(read->tau_squared, 1e300);
  EXPECT_TRUE(read->is_exhausted);
  ASSERT_EQ(read->answers.size(), 2U);
  EXPECT_EQ(read->answers[0].method, "host:krylov");
  EXPECT_FALSE(read->answers[0].has_converged);
  const lowrank::RungAnswer &a = read->answers[1], &b = written.answers[1];
  EXPECT_EQ(a.method, b.method);
  EXPECT_TRUE(a.has_converged);
  EXPECT_EQ(a.blocks, 11);
  EXPECT_EQ(a.values, b.values);
  EXPECT_EQ(a.u, b.u);
  EXPECT_TRUE(std::signbit(a.u[1]));
  EXPECT_EQ(a.b, b.b);
  ASSERT_EQ(a.verdicts.size(), 2U);
  EXPECT_EQ(a.verdicts[0].asked, 1);
  EXPECT_EQ(a.verdicts[0].kept, 1);
  EXPECT_EQ(a.verdicts[0].residual, 5e-324);
  EXPECT_TRUE(a.verdicts[0].is_accurate);
  EXPECT_EQ(a.verdicts[0].certificate, "remainder");
  EXPECT_TRUE(std::isinf(a.verdicts[1].residual));
}

TEST(FactorFile, AnotherKeyIsNoEntry) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "f";
  EXPECT_FALSE(read_factors(path, "key"));
  write_factors(path, "key", rung());
  EXPECT_FALSE(read_factors(path, "another key"));
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    EXPECT_FALSE(is_temporary(entry.path()));
}

TEST(FactorFile, EveryDamagedByteAndEveryCutIsFound) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "f";
  write_factors(path, "key", rung());
  const std::string whole = test::bytes_of(path);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    test::put_bytes(path, damaged);
    EXPECT_FALSE(read_factors(path, "key")) << "byte " << i;
    test::put_bytes(path, whole.substr(0, i));
    EXPECT_FALSE(read_factors(path, "key")) << "cut at " << i;
  }
}

}  // namespace
}  // namespace koine::store
