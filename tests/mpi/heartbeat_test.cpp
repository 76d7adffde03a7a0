#include "comm/heartbeat.hpp"

#include <chrono>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "comm/mpi.hpp"
#include "core/text.hpp"
#include "mpi/on_all_ranks.hpp"

namespace koine::comm {
namespace {

StallLimit limit_of(double seconds) {
  return {seconds, [](const std::string&) {}};
}

TEST(Heartbeat, WhoWorksIsNotSilent) {
  Mpi processes(limit_of(0.4));
  if (processes.rank().value == processes.size() - 1)
    std::this_thread::sleep_for(std::chrono::seconds(2));  // five limits without a call of MPI
  std::vector<std::int64_t> ones{1};
  processes.all_reduce_sum(ones);
  ASSERT_ON_ALL_RANKS(ones[0] == processes.size());
}

TEST(Heartbeat, NamesWhoIsLate) {
  Mpi processes(limit_of(1.6));  // beats every 0.2 s
  const int rank = processes.rank().value, size = processes.size();
  if (size == 1) {
    ASSERT_EQ(processes.heartbeat(), nullptr);
    return;
  }
  for (int step = 0; step < rank; ++step) processes.heartbeat()->step();
  processes.barrier();
  std::this_thread::sleep_for(std::chrono::seconds(1));
  // Of the others the root knows; of what lies behind a root that is late, nothing can be said.
  const std::string expected = rank == 0 ? "" : fmt::format("rank 0 on host {}", machine_name());
  ASSERT_ON_ALL_RANKS(processes.heartbeat()->late() == expected);
  processes.barrier();
  if (rank == 0) {
    for (int step = 0; step < size; ++step) processes.heartbeat()->step();
  }
  std::this_thread::sleep_for(std::chrono::seconds(1));
  std::vector<std::string> names;
  for (int r = 1; r < (rank == 0 ? size : rank); ++r)
    names.push_back(fmt::format("rank {} on host {}", r, machine_name()));
  ASSERT_ON_ALL_RANKS(processes.heartbeat()->late() == list_of(names));
}

TEST(Heartbeat, ManyComeAndGo) {
  for (int i = 0; i < 20; ++i) {
    Mpi processes(limit_of(0.4));
    if (i % 2 == 0) processes.barrier();
  }
  ASSERT_ON_ALL_RANKS(true);
}

}  // namespace
}  // namespace koine::comm
