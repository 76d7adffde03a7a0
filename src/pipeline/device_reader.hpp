#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <thread>
#include <vector>

#include "backend/device_lane.hpp"
#include "core/handoff.hpp"

namespace koine::pipeline {

/// Stored elements that are to go to a device.
struct Load {
  std::int64_t bytes;
  std::function<void(std::span<std::byte>)> read;  ///< fills them in
};

/// A thread that fills a lane's intake, as far ahead as there are buffers, and sends them: what is
/// read next goes to the device while it works on what was read before. Keeps a reference.
class DeviceReader {
 public:
  /// In this order.
  DeviceReader(backend::DeviceLane& lane, std::vector<Load> loads);
  ~DeviceReader();
  DeviceReader(const DeviceReader&) = delete;
  DeviceReader& operator=(const DeviceReader&) = delete;

  /// The buffer of the next load: waits until it was sent.
  /// @pre there is one  @throws what reading it threw
  [[nodiscard]] int next();
  /// Kernels that use the buffer were asked for: it may be filled again.
  void give_back(int buffer) { free_.put(buffer); }

 private:
  void run();

  backend::DeviceLane& lane_;
  std::vector<Load> loads_;
  Handoff<int> free_, sent_;
  std::jthread thread_;
};

}  // namespace koine::pipeline
