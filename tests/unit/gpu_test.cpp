#include "backend/gpu.hpp"

#include <cstdlib>

#include <gtest/gtest.h>

#include "backend/device_memory.hpp"
#include "core/error.hpp"

namespace koine::backend {
namespace {

TEST(DeviceOf, IsTheLocalRankModuloTheVisibleDevices) {
  EXPECT_EQ(device_of(0, 1), 0);
  EXPECT_EQ(device_of(3, 4), 3);
  EXPECT_EQ(device_of(5, 4), 1);
  EXPECT_EQ(device_of(7, 1), 0);  // a launcher that shows each process its own device
}

TEST(DeviceOf, CountsTheProcessesThatShareADevice) {
  for (int visible = 1; visible <= 5; ++visible) {
    for (int size = 1; size <= 12; ++size) {
      for (int device = 0; device < visible; ++device) {
        int sharing = 0;
        for (int rank = 0; rank < size; ++rank) sharing += device_of(rank, visible) == device;
        if (sharing > 0) {
          EXPECT_EQ(processes_on(device, size, visible), sharing)
              << "device " << device << " of " << visible << ", " << size << " processes";
        }
      }
    }
  }
}

/// Variables of launchers, taken away for as long as it lives.
class Environment {
 public:
  Environment() {
    for (const char* name : kNames) {
      const char* value = std::getenv(name);
      before_.emplace_back(value == nullptr ? "" : value);
      ::unsetenv(name);
    }
  }
  ~Environment() {
    for (std::size_t i = 0; i < before_.size(); ++i) {
      ::unsetenv(kNames[i]);
      if (!before_[i].empty()) ::setenv(kNames[i], before_[i].c_str(), 1);
    }
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  static constexpr const char* kNames[] = {"OMPI_COMM_WORLD_LOCAL_RANK",
                                           "OMPI_COMM_WORLD_LOCAL_SIZE",
                                           "MPI_LOCALRANKID",
                                           "MPI_LOCALNRANKS",
                                           "PMI_LOCAL_RANK",
                                           "PMI_LOCAL_SIZE",
                                           "SLURM_LOCALID",
                                           "SLURM_NTASKS_PER_NODE"};
  std::vector<std::string> before_;
};

TEST(LocalProcess, ComesFromTheLaunchersEnvironment) {
  const Environment none;
  EXPECT_EQ(local_process().rank, 0);
  EXPECT_EQ(local_process().size, 1);
  ::setenv("SLURM_LOCALID", "2", 1);
  EXPECT_EQ(local_process().rank, 2);
  EXPECT_EQ(local_process().size, 3);  // at least
  ::setenv("SLURM_NTASKS_PER_NODE", "8(x2)", 1);
  EXPECT_EQ(local_process().size, 8);
  ::setenv("OMPI_COMM_WORLD_LOCAL_RANK", "1", 1);  // mpirun inside a Slurm job
  ::setenv("OMPI_COMM_WORLD_LOCAL_SIZE", "4", 1);
  EXPECT_EQ(local_process().rank, 1);
  EXPECT_EQ(local_process().size, 4);
}

/// The library that the program opens, while it lives.
class Library {
 public:
  explicit Library(const char* path) { ::setenv("KOINE_CUDA_LIBRARY", path, 1); }
  ~Library() { ::unsetenv("KOINE_CUDA_LIBRARY"); }
};

TEST(ChooseBackend, CpuAsksNobody) {
  const Library none("/no/such/library.so");
  const Choice choice = choose_backend("cpu");
  EXPECT_FALSE(choice.gpu);
  EXPECT_EQ(choice.why_cpu, "");
}

TEST(ChooseBackend, AutoSaysWhyItIsTheCpu) {
  const Library none("/no/such/library.so");
  const Choice choice = choose_backend("auto");
  EXPECT_FALSE(choice.gpu);
  EXPECT_NE(choice.why_cpu.find("cannot be loaded"), std::string::npos) << choice.why_cpu;
}

TEST(ChooseBackend, CudaIsAnErrorOfTheDevice) {
  const Library none("/no/such/library.so");
  try {
    (void)choose_backend("cuda");
    FAIL();
  } catch (const DeviceError& error) {
    const std::string text = error.what();
    EXPECT_EQ(error.code(), ExitCode::device);
    EXPECT_NE(text.find("--backend cpu"), std::string::npos) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  }
}

TEST(ChooseBackend, OtherLibrariesAreRefused) {
  const Library other("libm.so.6");
  EXPECT_THROW((void)CudaLibrary::open(), DeviceError);
}

// A lane of this many slots needs so many bytes.
std::int64_t thousand_a_slot(int slots) {
  return 1000 * slots;
}

TEST(PlanLanes, TakesWhatFits) {
  const LanePlan plan = plan_lanes(thousand_a_slot, {1000000, 1000000, 1}, 16);
  EXPECT_EQ(plan.slots, 4);
  EXPECT_EQ(plan.lanes, 16);
}

TEST(PlanLanes, FewerLanesBeforeFewerSlots) {
  EXPECT_EQ(plan_lanes(thousand_a_slot, {1000000, 10000, 1}, 16).lanes, 2);
  EXPECT_EQ(plan_lanes(thousand_a_slot, {1000000, 10000, 2}, 16).lanes, 1);
  EXPECT_EQ(plan_lanes(thousand_a_slot, {1000000, 10000, 2}, 16).slots, 4);
}

TEST(PlanLanes, SlotsDependOnTheDeviceAlone) {
  EXPECT_EQ(plan_lanes(thousand_a_slot, {3000, 3000, 1}, 4).slots, 2);
  EXPECT_EQ(plan_lanes(thousand_a_slot, {1500, 1500, 1}, 4).slots, 1);
  for (const std::int64_t free : {5000, 20000, 100000})
    EXPECT_EQ(plan_lanes(thousand_a_slot, {100000, free, 1}, 4).slots, 4);
}

TEST(PlanLanes, SaysWhatIsMissing) {
  const auto text = [](const DeviceRoom& room) -> std::string {
    try {
      (void)plan_lanes(thousand_a_slot, room, 4);
      return "";
    } catch (const DeviceError& error) {
      return error.what();
    }
  };
  EXPECT_NE(text({1000, 1000, 1}).find("this GPU has"), std::string::npos);
  EXPECT_NE(text({100000, 2000, 1}).find("free"), std::string::npos);
  EXPECT_NE(text({100000, 10000, 5}).find("5 processes"), std::string::npos);
}

TEST(LaneBytes, GrowWithSlotsAndMatrix) {
  const MatrixNeed small{1280, 1280, 6, 9, 256}, large{1280, 5120, 6, 9, 256};
  EXPECT_LT(lane_bytes(small, 1), lane_bytes(small, 2));
  EXPECT_LT(lane_bytes(small, 4), lane_bytes(large, 4));
  // Task vectors, Gram matrices and what the elements need are in it.
  const std::int64_t count = 1280 * 1280;
  EXPECT_GT(lane_bytes(small, 4), 4 * (4 * count + 8 * count) + 13 * count);
  EXPECT_LT(lane_bytes(large, 4), std::int64_t{2} << 30);
}

}  // namespace
}  // namespace koine::backend
