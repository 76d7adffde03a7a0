#include "store/factor_file.hpp"

#include <cmath>
#include <filesystem>

#include <gtest/gtest.h>

#include "support/small_run.hpp"
#include "support/temporary_folder.hpp"

namespace koine::store {
namespace {

lowrank::Factors factors() {
  lowrank::Factors f;
  f.rows = 2;
  f.cols = 3;
  f.kept = 1;
  f.u = {0.1F, -0.0F};
  f.b = {1e-40F, 2, 3e38F};  // subnormals too
  f.sigma = {1.0 / 3, 0.1};
  f.tau_squared = 1e300;
  f.energy = 1.0 / 7;
  f.residual = 5e-324;
  f.gap = 0.25;
  f.certified = true;
  f.method = "host:dsyevr";
  f.fallbacks = 2;
  return f;
}

TEST(FactorFile, ReadsBackBitForBit) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "00001.002";
  const lowrank::Factors written = factors();
  write_factors(path, "key", written);
  const auto read = read_factors(path, "key");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->rows, 2);
  EXPECT_EQ(read->cols, 3);
  EXPECT_EQ(read->kept, 1);
  EXPECT_EQ(read->u, written.u);
  EXPECT_TRUE(std::signbit(read->u[1]));
  EXPECT_EQ(read->b, written.b);
  EXPECT_EQ(read->sigma, written.sigma);
  EXPECT_EQ(read->tau_squared, written.tau_squared);
  EXPECT_EQ(read->energy, written.energy);
  EXPECT_EQ(read->residual, written.residual);
  EXPECT_EQ(read->gap, written.gap);
  EXPECT_TRUE(read->certified);
  EXPECT_EQ(read->method, written.method);
  EXPECT_EQ(read->fallbacks, 2);
}

TEST(FactorFile, AnotherKeyIsNoEntry) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "f";
  EXPECT_FALSE(read_factors(path, "key"));
  write_factors(path, "key", factors());
  EXPECT_FALSE(read_factors(path, "another key"));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "f.tmp"));
}

TEST(FactorFile, EveryDamagedByteAndEveryCutIsFound) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "f";
  write_factors(path, "key", factors());
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
