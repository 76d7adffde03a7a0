#include "store/factor_cache.hpp"

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/error.hpp"
#include "support/small_run.hpp"
#include "support/temporary_folder.hpp"

namespace koine::store {
namespace {

namespace fs = std::filesystem;

lowrank::Rung rung(double tau_squared) {
  lowrank::RungAnswer answer;
  answer.method = "host:dsyevr";
  answer.has_converged = true;
  answer.values = {1};
  answer.u = {1, 2};
  answer.b = {3, 4, 5};
  return {2, 3, 1, tau_squared, true, {answer}};
}

std::vector<fs::path> files_of(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".factors") files.push_back(entry.path());
  }
  return files;
}

void set_age(const fs::path& path, int hours) {
  fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(hours));
}

TEST(FactorCache, FindsWhatWasKeptUnderThisKeyAlone) {
  const test::TemporaryFolder folder;
  const FactorCache cache(folder.path() / "deep" / "cache");
  EXPECT_FALSE(cache.find("a"));
  cache.keep("a", rung(1));
  cache.keep("b", rung(2));
  EXPECT_EQ(cache.find("a")->tau_squared, 1);
  EXPECT_EQ(cache.find("b")->tau_squared, 2);
  cache.keep("a", rung(3));
  EXPECT_EQ(FactorCache(folder.path() / "deep" / "cache").find("a")->tau_squared, 3);
  EXPECT_EQ(use_of_cache(cache.folder()).entries, 2);
}

TEST(FactorCache, ADamagedEntryIsMadeAgain) {
  const test::TemporaryFolder folder;
  const FactorCache cache(folder.path() / "cache");
  cache.keep("a", rung(1));
  test::put_bytes(files_of(cache.folder()).at(0), "rubbish");
  EXPECT_FALSE(cache.find("a"));
  cache.keep("a", rung(1));
  EXPECT_TRUE(cache.find("a"));
}

TEST(FactorCache, WhatWasNotUsedForLongestGoesFirst) {
  const test::TemporaryFolder folder;
  const FactorCache cache(folder.path() / "cache");
  for (const char* key : {"a", "b", "c"}) cache.keep(key, rung(1));
  for (const fs::path& file : files_of(cache.folder())) set_age(file, 2);
  EXPECT_TRUE(cache.find("b"));  // used now
  const CacheUse all = use_of_cache(cache.folder());
  EXPECT_EQ(all.entries, 3);
  EXPECT_LT(all.oldest, all.newest);
  const CacheUse removed = prune_cache(cache.folder(), all.bytes / 3);
  EXPECT_EQ(removed.entries, 2);
  EXPECT_FALSE(cache.find("a"));
  EXPECT_TRUE(cache.find("b"));
  EXPECT_FALSE(cache.find("c"));
  EXPECT_EQ(prune_cache(cache.folder(), 0).entries, 1);
  EXPECT_EQ(use_of_cache(cache.folder()).bytes, 0);
}

TEST(FactorCache, DeadWritersLeaveNothingForEver) {
  const test::TemporaryFolder folder;
  const FactorCache cache(folder.path() / "cache");
  cache.keep("a", rung(1));
  const fs::path group = files_of(cache.folder()).at(0).parent_path();
  const fs::path dead = group / "x.factors.tmp.host.1.1", alive = group / "x.factors.tmp.host.2.1";
  test::put_bytes(dead, "half");
  test::put_bytes(alive, "half");
  set_age(dead, 2);
  EXPECT_EQ(prune_cache(cache.folder(), 1 << 20).entries, 0);
  EXPECT_FALSE(fs::exists(dead));
  EXPECT_TRUE(fs::exists(alive));
  EXPECT_TRUE(cache.find("a"));
}

TEST(FactorCache, AFolderOfSomethingElseIsRefused) {
  const test::TemporaryFolder folder;
  test::put_bytes(folder.path() / "thesis.tex", "x");
  EXPECT_THROW(FactorCache{folder.path()}, InputError);
  EXPECT_THROW((void)use_of_cache(folder.path()), InputError);
  EXPECT_THROW((void)prune_cache(folder.path(), 0), InputError);
  EXPECT_THROW((void)use_of_cache(folder.path() / "none"), InputError);
}

TEST(FactorCache, TheLimitIsKeptInTheFolder) {
  const test::TemporaryFolder folder;
  const FactorCache cache(folder.path() / "cache");
  EXPECT_EQ(use_of_cache(cache.folder()).limit, 0);
  limit_cache(cache.folder(), 1000);
  EXPECT_EQ(use_of_cache(FactorCache(cache.folder()).folder()).limit, 1000);
}

TEST(FactorCache, ManyMayWriteOneEntryAtOnce) {
  const test::TemporaryFolder folder;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      const FactorCache cache(folder.path() / "cache");
      for (int i = 0; i < 50; ++i) {
        cache.keep("a", rung(1));
        const auto found = cache.find("a");
        ASSERT_TRUE(found);
        ASSERT_EQ(found->tau_squared, 1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(files_of(folder.path()).size(), 1U);
}

}  // namespace
}  // namespace koine::store
