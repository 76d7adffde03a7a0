#include "core/spawn.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

namespace koine {
namespace {

bool is_in_environment_of_children(const std::string& start) {
  return std::ranges::any_of(environment_of_children(),
                             [&](const std::string& entry) { return entry.starts_with(start); });
}

TEST(EnvironmentOfChildren, HasTheUsersVariablesAndNotOurs) {
  ::setenv("KOINE_TEST_USERS", "theirs", 1);
  ::unsetenv("KOINE_TEST_OURS");
  EXPECT_FALSE(set_for_this_program("KOINE_TEST_USERS", "ours"));
  EXPECT_TRUE(set_for_this_program("KOINE_TEST_OURS", "ours"));
  EXPECT_STREQ(std::getenv("KOINE_TEST_USERS"), "theirs");
  EXPECT_STREQ(std::getenv("KOINE_TEST_OURS"), "ours");
  EXPECT_TRUE(is_in_environment_of_children("KOINE_TEST_USERS=theirs"));
  EXPECT_FALSE(is_in_environment_of_children("KOINE_TEST_OURS"));
  EXPECT_FALSE(is_in_environment_of_children("KOINE_SET_"));
}

TEST(EnvironmentOfChildren, IsNoProcessOfAJob) {
  ::setenv("OMPI_COMM_WORLD_SIZE", "4", 1);
  EXPECT_FALSE(is_in_environment_of_children("OMPI_COMM_"));
  ::unsetenv("OMPI_COMM_WORLD_SIZE");
}

}  // namespace
}  // namespace koine
