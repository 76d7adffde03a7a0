#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <thread>

#include "backend/device_lane.hpp"
#include "core/handoff.hpp"

namespace koine::pipeline {

/// A thread that writes what comes out of a lane's outlet while the device works on. Keeps a
/// reference.
class DeviceWriter {
 public:
  explicit DeviceWriter(backend::DeviceLane& lane);
  ~DeviceWriter();
  DeviceWriter(const DeviceWriter&) = delete;
  DeviceWriter& operator=(const DeviceWriter&) = delete;

  /// A buffer for the next result: waits for one.  @throws what writing an earlier one threw
  [[nodiscard]] int room();
  void give_back(int buffer) { free_.put(buffer); }  ///< it holds nothing to be written

  struct Result {
    int buffer;
    std::int64_t bytes;
    std::function<void(std::span<const std::byte>)> write;
  };
  void put(Result result) { results_.put(std::move(result)); }

  /// Waits until all is written.  @throws what writing threw
  void finish();

 private:
  void run();

  backend::DeviceLane& lane_;
  Handoff<int> free_;
  Handoff<Result> results_;
  std::exception_ptr failure_;
  std::jthread thread_;
};

}  // namespace koine::pipeline
