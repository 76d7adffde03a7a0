#include "comm/communicator.hpp"

#include <cmath>
#include <memory>

#include <gtest/gtest.h>

#include "mpi/on_all_ranks.hpp"

namespace koine::comm {
namespace {

/// MPI is initialised once per program, by mpi_main; the communicator under test finds it so.
Communicator& world() {
  static const std::unique_ptr<Communicator> communicator = make_mpi();
  return *communicator;
}

TEST(Communicator, SumsSlotsExactly) {
  const double n = world().size();
  std::vector<double> values(7, world().rank().value + 1.0);
  world().all_reduce_sum(values);
  ASSERT_ON_ALL_RANKS(values == std::vector<double>(7, n * (n + 1) / 2));
}

TEST(Communicator, ASlotWithOneOwnerKeepsItsBits) {
  const int size = world().size(), rank = world().rank().value;
  std::vector<double> slots(16, 0.0);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (static_cast<int>(i) % size == rank) slots[i] = 1.0 / (static_cast<double>(i) + 3);
  }
  if (rank == 0) slots[0] = -0.0;
  world().all_reduce_sum(slots);
  bool equal = !std::signbit(slots[0]);
  for (std::size_t i = 1; i < slots.size(); ++i)
    equal = equal && slots[i] == 1.0 / (static_cast<double>(i) + 3);
  ASSERT_ON_ALL_RANKS(equal);
}

TEST(Communicator, BroadcastsTheRootsText) {
  std::string text = world().is_root() ? std::string(100000, 'k') : std::string("else");
  world().broadcast(text);
  ASSERT_ON_ALL_RANKS(text == std::string(100000, 'k'));
  std::string empty = world().is_root() ? "" : "else";
  world().broadcast(empty);
  ASSERT_ON_ALL_RANKS(empty.empty());
}

TEST(Communicator, GathersInRankOrder) {
  const auto texts =
      world().gather(std::string(static_cast<std::size_t>(world().rank().value), 'x') + "!");
  bool right = world().is_root() ? static_cast<int>(texts.size()) == world().size() : texts.empty();
  for (std::size_t r = 0; r < texts.size(); ++r)
    right = right && texts[r] == std::string(r, 'x') + "!";
  ASSERT_ON_ALL_RANKS(right);
}

TEST(Communicator, CountsAreIntegers) {
  std::vector<std::int64_t> counts{1, (std::int64_t{1} << 40)};
  world().all_reduce_sum(counts);
  const std::int64_t n = world().size();
  world().barrier();
  ASSERT_ON_ALL_RANKS(counts == (std::vector<std::int64_t>{n, n << 40}));
}

}  // namespace
}  // namespace koine::comm
