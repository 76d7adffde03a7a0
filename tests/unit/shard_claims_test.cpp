#include "pipeline/shard_claims.hpp"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "support/temporary_folder.hpp"

namespace koine::pipeline {
namespace {

using test::TemporaryFolder;

TEST(ShardClaims, AShardIsTakenOnce) {
  const TemporaryFolder run;
  const ShardClaims one(run.path()), other(run.path());
  EXPECT_TRUE(one.take("encoder.000"));
  EXPECT_FALSE(other.take("encoder.000"));
  EXPECT_FALSE(one.take("encoder.000"));
  EXPECT_TRUE(other.take("encoder.001"));
}

TEST(ShardClaims, ThoseOfAnEarlierAttemptAreForgotten) {
  const TemporaryFolder run;
  EXPECT_TRUE(ShardClaims(run.path()).take("rest"));
  ShardClaims::forget(run.path());
  EXPECT_TRUE(ShardClaims(run.path()).take("rest"));
  ShardClaims::forget(run.path());
  EXPECT_FALSE(std::filesystem::exists(run.path() / ".koine" / "claims"));
}

TEST(ShardClaims, WithoutThemEverythingMayBeBegun) {
  const ShardClaims none;
  EXPECT_TRUE(none.take("rest"));
  EXPECT_TRUE(none.take("rest"));
}

TEST(ShardClaims, AreRefusedWhereNoneCanBeMade) {
  const TemporaryFolder run;
  std::ofstream(run / "file") << "no folder";
  EXPECT_THROW((void)ShardClaims(run / "file").take("rest"), Error);
}

TEST(ShardClaims, OfManyAtOnceOneWins) {
  const TemporaryFolder run;
  constexpr int kThreads = 8, kShards = 50;
  std::vector<std::atomic<int>> winners(kShards);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&] {
        const ShardClaims claims(run.path());
        for (int s = 0; s < kShards; ++s)
          winners[static_cast<std::size_t>(s)] += claims.take(std::to_string(s)) ? 1 : 0;
      });
    }
  }
  for (const std::atomic<int>& count : winners) EXPECT_EQ(count, 1);
}

}  // namespace
}  // namespace koine::pipeline
