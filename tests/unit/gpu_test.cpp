#include "backend/gpu.hpp"

#include <algorithm>
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

/// The library that the program opens, while it lives.
class Library {
 public:
  explicit Library(const char* path) { ::setenv("KOINE_CUDA_LIBRARY", path, 1); }
  ~Library() { ::unsetenv("KOINE_CUDA_LIBRARY"); }
};

TEST(ChooseGpu, SaysWhyThereIsNone) {
  const Library none("/no/such/library.so");
  const Choice choice = choose_gpu(0);
  EXPECT_FALSE(choice.gpu);
  EXPECT_NE(choice.why_cpu.find("cannot be loaded"), std::string::npos) << choice.why_cpu;
  EXPECT_NE(choice.why_cpu.find("--backend cpu"), std::string::npos) << choice.why_cpu;
  EXPECT_EQ(choice.why_cpu.find('\n'), std::string::npos) << choice.why_cpu;
}

TEST(ChooseGpu, OtherLibrariesAreRefused) {
  const Library other("libm.so.6");
  EXPECT_THROW((void)CudaLibrary::open(), DeviceError);
}

// A lane of this many slots needs so many bytes.
std::int64_t thousand_a_slot(int slots) {
  return std::int64_t{1000} * slots;
}

TEST(PlanLanes, TakesWhatFits) {
  const LanePlan plan = plan_lanes(thousand_a_slot, {1000000, 1000000, 1}, 16);
  EXPECT_EQ(plan.slots, 8);
  EXPECT_EQ(plan.lanes, 16);
}

TEST(PlanLanes, FewerLanesBeforeFewerSlots) {
  EXPECT_EQ(plan_lanes(thousand_a_slot, {1000000, 20000, 1}, 16).lanes, 2);
  EXPECT_EQ(plan_lanes(thousand_a_slot, {1000000, 20000, 2}, 16).lanes, 1);
  EXPECT_EQ(plan_lanes(thousand_a_slot, {1000000, 20000, 2}, 16).slots, 8);
}

TEST(PlanLanes, SlotsDependOnTheDeviceAlone) {
  EXPECT_EQ(plan_lanes(thousand_a_slot, {3000, 3000, 1}, 4).slots, 2);
  EXPECT_EQ(plan_lanes(thousand_a_slot, {1500, 1500, 1}, 4).slots, 1);
  for (const std::int64_t free : {10000, 20000, 100000})
    EXPECT_EQ(plan_lanes(thousand_a_slot, {100000, free, 1}, 4).slots, 8);
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

/// Of five fp16 experts, at rung 8.
MatrixNeed matrix(std::int64_t rows, std::int64_t cols) {
  return {rows, cols, {2, 2, 2}, 5, 9, 256};
}

TEST(PlacesOf, ABatchFindsRoomForEveryMatrixItMeets) {
  for (int slots = 1; slots <= 8; ++slots) {
    for (std::int64_t experts = 1; experts <= 9; ++experts) {
      std::int64_t most = 0;
      for (std::int64_t first = 0; first < experts; ++first)
        most = std::max(most, (first + slots - 1) / experts + 1);
      EXPECT_EQ(places_of(slots, experts), most) << slots << " of " << experts;
    }
  }
}

TEST(GramOfADevice, GoesByItsKind) {
  const auto gram = [](int major, int minor) {
    DeviceInfo device;
    device.major = major;
    device.minor = minor;
    return gram_of(device);
  };
  for (const int major : {6, 7, 8, 9, 10}) EXPECT_EQ(gram(major, 0), cuda::Gram::float64) << major;
  for (const auto& [major, minor] : {std::pair{7, 5}, {8, 6}, {8, 9}, {10, 3}, {11, 0}, {12, 0}})
    EXPECT_EQ(gram(major, minor), cuda::Gram::float32) << major << "." << minor;
}

TEST(LaneBytes, GrowWithSlotsAndMatrix) {
  const std::vector<MatrixNeed> small{matrix(1280, 1280)}, large{matrix(1280, 5120)};
  EXPECT_LT(lane_bytes(small, 1), lane_bytes(small, 2));
  EXPECT_LT(lane_bytes(small, 4), lane_bytes(large, 4));
  // Task vectors, Gram matrices and what the elements need are in it.
  constexpr std::int64_t kSide = 1280, kCount = kSide * kSide;
  EXPECT_GT(lane_bytes(small, 4), 4 * (4 * kCount + 8 * kCount) + 13 * kCount);
  EXPECT_LT(lane_bytes(large, 4), std::int64_t{2} << 30);
}

TEST(LaneBytes, EveryBufferIsAsLargeAsItsLargestUser) {
  const MatrixNeed square = matrix(2048, 2048), wide = matrix(512, 16384);
  const std::vector<MatrixNeed> both{square, wide}, first{square}, second{wide};
  EXPECT_GT(lane_bytes(both, 4), std::max(lane_bytes(first, 4), lane_bytes(second, 4)));
  EXPECT_LT(lane_bytes(both, 4), lane_bytes(first, 4) + lane_bytes(second, 4));
}

}  // namespace
}  // namespace koine::backend
