#include "core/pool.hpp"

#include <cstring>

#include <gtest/gtest.h>

namespace koine {
namespace {

TEST(Pool, KeepsItsMemoryUntilMoreIsWanted) {
  Pool<double> pool;
  EXPECT_TRUE(pool.take(0).empty());
  const auto first = pool.take(1000);
  first[999] = 7;
  EXPECT_EQ(pool.take(10).data(), first.data());
  EXPECT_EQ(pool.take(1000)[999], 7);
  const auto larger = pool.take(1 << 20);
  ASSERT_EQ(larger.size(), std::size_t{1} << 20);
  std::memset(larger.data(), 1, larger.size_bytes());  // all of it may be written
}

TEST(Pool, BeginsOnALineOrOnAHugePage) {
  const auto address = [](auto& pool) { return reinterpret_cast<std::uintptr_t>(pool.data()); };
  Pool<float> small, large;
  EXPECT_EQ(small.take(3).size(), 3U);
  EXPECT_EQ(address(small) % 64, 0U);
  EXPECT_EQ(large.take((2 << 20) / 4).size(), (2U << 20U) / 4U);
  EXPECT_EQ(address(large) % (2U << 20U), 0U);
}

TEST(Pool, MovesItsMemory) {
  Pool<std::uint8_t> from;
  from.take(4)[3] = 9;
  const std::uint8_t* at = from.data();
  Pool<std::uint8_t> to = std::move(from);
  EXPECT_EQ(to.data(), at);
  EXPECT_EQ(to.take(4)[3], 9);
}

}  // namespace
}  // namespace koine
