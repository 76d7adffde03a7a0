#include <algorithm>
#include <stdexcept>

#include "device_lane.hpp"
#include "pipeline/device_reader.hpp"
#include "pipeline/device_writer.hpp"

namespace koine::pipeline {
namespace {

using backend::DeviceLane;
using test::kSlots;

constexpr std::int64_t kSide = 16, kCount = kSide * kSide, kBytes = kCount * 4;

class DeviceRings : public test::DeviceCase<testing::Test> {
 protected:
  static void fill(std::span<std::byte> room, float value) {
    const std::vector<float> values(kCount, value);
    std::ranges::copy(std::as_bytes(std::span(values)), room.begin());
  }
  static std::vector<Load> loads(int count) {
    std::vector<Load> all;
    for (int i = 0; i < count; ++i) {
      all.push_back(
          {kBytes, [i](std::span<std::byte> room) { fill(room, static_cast<float>(i)); }});
    }
    return all;
  }
  void begin() {
    lane().begin(kSide, kSide, 2);
    lane().start_with_zeros(0);
    lane().start_with_zeros(1);
  }
  static bool holds(std::span<const std::byte> bytes, float value) {
    const std::vector<float> values(kCount, value);
    return std::ranges::equal(bytes, std::as_bytes(std::span(values)));
  }
  /// A result of `value` everywhere sets out for a buffer.
  void finish(int place, float value, int buffer) {
    const std::vector<float> tau(kCount, value);
    lane().start_with_zeros(place);
    lane().put(0, place, stored(tau));
    (void)lane().begin_m(0, backend::cuda::LowPart::whole);
    (void)lane().add(place, 1);
    (void)lane().finish(place, {}, buffer);
  }
};

/// One buffer for all slots: filled again while the device has not yet been waited for.
TEST_F(DeviceRings, ABufferIsFilledAgainWhenItWasUsed) {
  begin();
  for (int slot = 0; slot < kSlots; ++slot) {
    fill(lane().intake(0, kBytes), static_cast<float>(slot + 1));
    lane().send(0, kBytes);
    lane().put(slot, 0, DeviceLane::sent(0, DType::f32));
  }
  const auto facts = lane().facts();
  for (int slot = 0; slot < kSlots; ++slot) {
    EXPECT_EQ(facts.task_vectors[static_cast<std::size_t>(slot)].squared,
              kCount * (slot + 1) * (slot + 1));
  }
}

TEST_F(DeviceRings, ResultsComeOutWhileOthersAreMade) {
  begin();
  for (int i = 0; i < 6; ++i) {
    finish(0, static_cast<float>(i), 0);
    finish(1, static_cast<float>(-i), 1);
    EXPECT_TRUE(holds(lane().take(0, kBytes), static_cast<float>(i))) << i;
    EXPECT_TRUE(holds(lane().take(1, kBytes), static_cast<float>(-i))) << i;
  }
}

TEST_F(DeviceRings, TheReaderKeepsTheOrder) {
  begin();
  DeviceReader reader(lane(), loads(10 * kSlots));
  for (int round = 0; round < 10; ++round) {
    for (int slot = 0; slot < kSlots; ++slot) {
      const int buffer = reader.next();
      lane().put(slot, 0, DeviceLane::sent(buffer, DType::f32));
      reader.give_back(buffer);
    }
    const auto facts = lane().facts();
    for (int slot = 0; slot < kSlots; ++slot) {
      const int value = round * kSlots + slot;
      EXPECT_EQ(facts.task_vectors[static_cast<std::size_t>(slot)].squared, kCount * value * value);
    }
  }
}

TEST_F(DeviceRings, TheWriterWritesWhatCameOut) {
  begin();
  std::vector<int> written;
  DeviceWriter writer(lane());
  for (int i = 0; i < 8; ++i) {
    const int buffer = writer.room();
    finish(i % 2, static_cast<float>(i), buffer);
    writer.put({buffer, kBytes, [&written, i](std::span<const std::byte> bytes) {
                  EXPECT_TRUE(holds(bytes, static_cast<float>(i)));
                  written.push_back(i);
                }});
  }
  writer.finish();
  EXPECT_EQ(written, (std::vector{0, 1, 2, 3, 4, 5, 6, 7}));
}

TEST_F(DeviceRings, AReadThatFailsIsTold) {
  begin();
  auto all = loads(3);
  all[1].read = [](std::span<std::byte>) { throw std::runtime_error("cut short"); };
  DeviceReader reader(lane(), std::move(all));
  EXPECT_THROW(
      {
        for (int i = 0; i < 3; ++i) reader.give_back(reader.next());
      },
      std::runtime_error);
}

TEST_F(DeviceRings, AWriteThatFailsIsTold) {
  begin();
  DeviceWriter writer(lane());
  const auto write_all = [&] {
    for (int i = 0; i <= DeviceLane::kOutlets; ++i) {
      const int buffer = writer.room();
      finish(0, 1, buffer);
      writer.put({buffer, kBytes,
                  [](std::span<const std::byte>) { throw std::runtime_error("disk full"); }});
    }
  };
  EXPECT_THROW(write_all(), std::runtime_error);
  EXPECT_THROW(writer.finish(), std::runtime_error);
}

TEST_F(DeviceRings, WhoLeavesEarlyLeavesNobodyWaiting) {
  begin();
  DeviceReader reader(lane(), loads(100));
  DeviceWriter writer(lane());
  (void)reader.next();
  (void)writer.room();
}

TEST_F(DeviceRings, CopiesAndKernelsAreTimed) {
  begin();
  const DeviceLane::Busy before = lane().busy();
  for (int i = 0; i < 2; ++i) {
    fill(lane().intake(0, kBytes), 1);
    lane().send(0, kBytes);
    lane().put(0, 0, DeviceLane::sent(0, DType::f32));
    finish(0, 1, 0);
    (void)lane().take(0, kBytes);
  }
  const DeviceLane::Busy after = lane().busy();
  EXPECT_GT(after.in, before.in);
  const auto sums = static_cast<std::size_t>(DeviceLane::Work::sum);
  EXPECT_GT(after.kernels[sums], before.kernels[sums]);
  EXPECT_GT(after.out, before.out);
}

}  // namespace
}  // namespace koine::pipeline
