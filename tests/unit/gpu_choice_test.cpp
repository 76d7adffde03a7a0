#include "comm/gpu_choice.hpp"

#include <gtest/gtest.h>

namespace koine::comm {
namespace {

/// A machine's GPUs; number n has the UUID "GPU-<host><n>".
VisibleGpus sees(const std::string& host, const std::vector<int>& numbers) {
  VisibleGpus seen{host, {}, {}};
  for (const int n : numbers) {
    const std::string text = std::to_string(n);
    seen.gpus.push_back({"H100", "GPU-" + host + text, "0000:0" + text + ":00.0"});
  }
  return seen;
}

using Devices = std::vector<int>;

TEST(GpuChoice, EveryProcessOfAMachineTakesTheNext) {
  const std::vector<VisibleGpus> ranks(4, sees("n1", {0, 1, 2, 3}));
  EXPECT_EQ(choose_gpus(ranks).devices, (Devices{0, 1, 2, 3}));
}

TEST(GpuChoice, MachinesCountApart) {
  const VisibleGpus a = sees("n1", {0, 1}), b = sees("n2", {0, 1});
  EXPECT_EQ(choose_gpus(std::vector{a, a, b, b}).devices, (Devices{0, 1, 0, 1}));
  EXPECT_EQ(choose_gpus(std::vector{a, b, a, b}).devices, (Devices{0, 0, 1, 1}));
}

TEST(GpuChoice, ATaskThatSeesOneGpuTakesIt) {  // srun --gpus-per-task=1
  const auto chosen = choose_gpus(std::vector{sees("n1", {2}), sees("n1", {0}), sees("n1", {1})});
  EXPECT_EQ(chosen.devices, (Devices{0, 0, 0}));
  EXPECT_EQ(chosen.why_not, "");
}

TEST(GpuChoice, SharedGpusAreNamed) {
  const VisibleGpus two = sees("n1", {0, 1});
  const auto chosen = choose_gpus(std::vector{two, two, two, two, two});
  EXPECT_TRUE(chosen.devices.empty());
  EXPECT_EQ(chosen.why_not, "ranks 0, 2 and 4 share GPU-n10 (H100, 0000:00:00.0) on host n1");
}

TEST(GpuChoice, OneUuidIsOneGpuWhateverTheHostIsCalled) {  // containers with names of their own
  VisibleGpus a = sees("pod-a", {0}), b = sees("pod-b", {0});
  b.gpus[0].uuid = a.gpus[0].uuid;
  EXPECT_EQ(choose_gpus(std::vector{a, b}).why_not,
            "ranks 0 and 1 share GPU-pod-a0 (H100, 0000:00:00.0) on host pod-a");
}

TEST(GpuChoice, PartsOfOneGpuAreOneGpu) {  // MIG: NCCL tells GPUs by their PCI address
  VisibleGpus a = sees("n1", {0}), b = sees("n1", {0});
  b.gpus[0].uuid = "MIG-1";
  EXPECT_EQ(choose_gpus(std::vector{a, b}).devices.size(), 0U);
}

TEST(GpuChoice, WhoHasNoneIsNamed) {
  VisibleGpus none{"n2", {}, "no device is visible"};
  const auto chosen = choose_gpus(std::vector{sees("n1", {0}), none});
  EXPECT_TRUE(chosen.devices.empty());
  EXPECT_EQ(chosen.why_not, "rank 1 on host n2 has no GPU for NCCL: no device is visible");
}

TEST(GpuChoice, TravelsAsText) {
  VisibleGpus seen = sees("n1", {0, 3});
  seen.problem = "a \"quoted\" reason";
  const VisibleGpus back = visible_gpus(to_text(seen));
  EXPECT_EQ(back.host, "n1");
  EXPECT_EQ(back.problem, seen.problem);
  ASSERT_EQ(back.gpus.size(), 2U);
  EXPECT_EQ(back.gpus[1].uuid, "GPU-n13");
  EXPECT_EQ(back.gpus[1].pci, "0000:03:00.0");
  EXPECT_EQ(back.gpus[1].name, "H100");
}

}  // namespace
}  // namespace koine::comm
