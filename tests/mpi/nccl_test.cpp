// NCCL's transport over the libraries of tests/fake_gpu, which stand in the loader's path.
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <mpi.h>
#include <unistd.h>

#include "comm/communicator.hpp"
#include "core/error.hpp"
#include "mpi/on_all_ranks.hpp"

namespace koine::comm {
namespace {

constexpr double kLimit = 1;

class NcclTransport : public testing::Test {
 protected:
  void SetUp() override {
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
    std::string name = fmt::format("{}/koine-nccl.{}",
                                   std::filesystem::temp_directory_path().string(), ::getpid());
    name.resize(200);
    MPI_Bcast(name.data(), 200, MPI_CHAR, 0, MPI_COMM_WORLD);
    folder_ = name.c_str();
    if (rank_ == 0) std::filesystem::create_directories(folder_);
    MPI_Barrier(MPI_COMM_WORLD);
    ::setenv("KOINE_FAKE_FOLDER", folder_.c_str(), 1);
    ::setenv("KOINE_FAKE_GPUS", "4", 1);
    ::unsetenv("KOINE_FAKE_FAULT");
  }
  void TearDown() override {
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank_ == 0) std::filesystem::remove_all(folder_);
  }

  static std::unique_ptr<Communicator> connected() {
    const StallLimit stall{kLimit, [](const std::string&) {}};
    auto processes = make(Transport::nccl, stall);
    use_gpus(processes, Transport::nccl, stall);
    return processes;
  }
  void inflict(const char* kind, int rank, int call) const {
    ::setenv("KOINE_FAKE_FAULT", fmt::format("{} {} {}", kind, rank, call).c_str(), 1);
  }
  /// How often each rank called ncclCommAbort.
  [[nodiscard]] std::vector<int> aborts() const {
    MPI_Barrier(MPI_COMM_WORLD);
    std::vector<int> counts(static_cast<std::size_t>(size_), 0);
    std::ifstream file(folder_ + "/aborts");
    for (std::size_t rank = 0; file >> rank;) ++counts.at(rank);
    return counts;
  }
  /// What an all-reduce throws; empty where it does not.
  static std::string error_of(Communicator& processes) {
    std::vector<std::int64_t> counts{1, 2};
    try {
      processes.all_reduce_sum(counts);
    } catch (const CommError& error) {
      return error.what();
    }
    return {};
  }
  [[nodiscard]] int last() const { return size_ - 1; }

  int rank_ = 0, size_ = 1;
  std::string folder_;
};

/// A slot in sixteen is -0, subnormal or infinite; each has one owner.
std::vector<double> slots_of(int rank, int size, std::size_t count) {
  std::vector<double> slots(count, 0.0);
  for (std::size_t i = static_cast<std::size_t>(rank); i < count;
       i += static_cast<std::size_t>(size))
    slots[i] = i % 16 == 0   ? -0.0
               : i % 16 == 1 ? 5e-324
               : i % 16 == 2 ? -HUGE_VAL
                             : 1.0 / (1.0 + static_cast<double>(i));
  return slots;
}

bool are_same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

TEST_F(NcclTransport, SumsHaveTheBitsOfMpi) {
  const auto nccl = connected();
  const auto mpi = make_mpi();
  ASSERT_EQ(nccl->name(), "nccl");
  for (const std::size_t count : {0UL, 1UL, 7UL, 100003UL, 12UL}) {  // the buffer grows, and stays
    std::vector<double> slots = slots_of(rank_, size_, count), expected = slots;
    nccl->all_reduce_sum(slots);
    mpi->all_reduce_sum(expected);
    ASSERT_ON_ALL_RANKS(are_same_bits(slots, expected));
    std::vector<std::int64_t> counts(count), sums;
    for (std::size_t i = 0; i < count; ++i)
      counts[i] = (std::int64_t{1} << 40) * (rank_ + 1) - static_cast<std::int64_t>(i);
    sums = counts;
    nccl->all_reduce_sum(counts);
    mpi->all_reduce_sum(sums);
    ASSERT_ON_ALL_RANKS(counts == sums);
  }
  ASSERT_ON_ALL_RANKS(aborts() == std::vector<int>(static_cast<std::size_t>(size_), 0));
}

TEST_F(NcclTransport, TextsGoOverMpi) {
  const auto nccl = connected();
  std::string text = rank_ == 0 ? "of the root" : "";
  nccl->broadcast(text);
  ASSERT_ON_ALL_RANKS(text == "of the root");
  const auto texts = nccl->gather(fmt::format("{}", rank_));
  nccl->barrier();
  ASSERT_ON_ALL_RANKS(rank_ != 0 || texts.back() == std::to_string(last()));
}

TEST_F(NcclTransport, ALateProcessIsWaitedFor) {
  const auto nccl = connected();
  inflict("delay", last(), 1);
  ASSERT_ON_ALL_RANKS(error_of(*nccl).empty());
}

TEST_F(NcclTransport, WhoWorksLongerThanTheLimitIsWaitedFor) {
  const auto nccl = connected();
  if (rank_ == last()) std::this_thread::sleep_for(std::chrono::duration<double>(2 * kLimit));
  ASSERT_ON_ALL_RANKS(error_of(*nccl).empty());
}

TEST_F(NcclTransport, AFailureIsSaidAndAbortedOnce) {
  const auto nccl = connected();
  inflict("fail", last(), 2);
  ASSERT_ON_ALL_RANKS(error_of(*nccl).empty());
  const std::string error = error_of(*nccl);
  const char* expected = rank_ == last() ? "unhandled system error" : "not finished in 1 s";
  ASSERT_ON_ALL_RANKS(error.find("all-reduce of 2 integers through NCCL") == 0);
  ASSERT_ON_ALL_RANKS(error.find(expected) != std::string::npos);
  ASSERT_ON_ALL_RANKS(aborts() == std::vector<int>(static_cast<std::size_t>(size_), 1));
}

TEST_F(NcclTransport, WhatNeverEndsIsGivenUp) {
  const auto nccl = connected();
  inflict("lose", 0, 1);
  const std::string error = error_of(*nccl);
  ASSERT_ON_ALL_RANKS(error.find("all ranks have begun it") != std::string::npos);
  ASSERT_ON_ALL_RANKS(aborts() == std::vector<int>(static_cast<std::size_t>(size_), 1));
}

TEST_F(NcclTransport, ASetUpThatNeverEndsIsGivenUp) {
  inflict("lose", last(), 0);
  std::string error;
  try {
    connected();
  } catch (const CommError& thrown) {
    error = thrown.what();
  }
  ASSERT_ON_ALL_RANKS(error.find("set-up through NCCL was not finished in 1 s") == 0);
  ASSERT_ON_ALL_RANKS(aborts() == std::vector<int>(static_cast<std::size_t>(size_), 1));
}

TEST_F(NcclTransport, SharedAndAbsentGpusLeaveMpi) {
  for (const char* gpus : {"0", "1"}) {
    const bool is_possible = *gpus == '1' && size_ == 1;
    ::setenv("KOINE_FAKE_GPUS", gpus, 1);
    std::string error;
    try {
      connected();
    } catch (const DeviceError& thrown) {
      error = thrown.what();
    }
    ASSERT_ON_ALL_RANKS(error.empty() == is_possible);
    const char* found = *gpus == '0' ? "rank 0 on host" : "share GPU-0000";
    ASSERT_ON_ALL_RANKS(is_possible || error.find(found) != std::string::npos);
    auto processes = make_mpi();
    const std::string why = use_gpus(processes, Transport::automatic, {});
    ASSERT_ON_ALL_RANKS(processes->name() == "mpi");
    ASSERT_ON_ALL_RANKS(size_ == 1 || rank_ != 0 || why.find(found) != std::string::npos);
  }
}

TEST_F(NcclTransport, WhereItCannotBeSetUpAutomaticStaysWithMpi) {
  if (size_ == 1) GTEST_SKIP() << "alone, auto does not look for NCCL";
  for (const char* kind : {"fail", "lose"}) {
    inflict(kind, last(), 0);
    const StallLimit stall{kLimit, [](const std::string&) {}};
    auto processes = make(Transport::automatic, stall);
    const std::string why = use_gpus(processes, Transport::automatic, stall);
    ASSERT_ON_ALL_RANKS(processes->name() == "mpi");
    ASSERT_ON_ALL_RANKS(why.find("set-up through NCCL") != std::string::npos);
    std::vector<std::int64_t> counts{1};
    processes->all_reduce_sum(counts);
    ASSERT_ON_ALL_RANKS(counts[0] == size_);
  }
  ASSERT_ON_ALL_RANKS(aborts() == std::vector<int>(static_cast<std::size_t>(size_), 2));
  ::unsetenv("KOINE_FAKE_FAULT");
  auto processes = make(Transport::automatic, {});
  ASSERT_ON_ALL_RANKS(use_gpus(processes, Transport::automatic, {}).empty());
  ASSERT_ON_ALL_RANKS(processes->name() == "nccl");
}

}  // namespace
}  // namespace koine::comm
