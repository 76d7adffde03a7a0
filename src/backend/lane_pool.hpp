#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "backend/device_lane.hpp"
#include "backend/device_memory.hpp"
#include "backend/gpu.hpp"

namespace koine::backend {

/// The lanes of a process, lent to its threads. Opened when first needed.
class LanePool {
 public:
  LanePool(const Gpu& gpu, const LanePlan& plan) : gpu_(gpu), plan_(plan) {}

  /// A lane that goes back when it ends.
  class Lease {
   public:
    Lease(LanePool& pool, std::unique_ptr<DeviceLane> lane) : pool_(pool), lane_(std::move(lane)) {}
    ~Lease() { pool_.give_back(std::move(lane_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    DeviceLane& operator*() const noexcept { return *lane_; }

   private:
    LanePool& pool_;
    std::unique_ptr<DeviceLane> lane_;
  };

  /// Waits while all lanes are lent. Thread-safe.  @throws DeviceError
  [[nodiscard]] Lease borrow();

 private:
  void give_back(std::unique_ptr<DeviceLane> lane);

  const Gpu& gpu_;
  LanePlan plan_;
  std::mutex guard_;  ///< of all below
  std::condition_variable returned_;
  std::vector<std::unique_ptr<DeviceLane>> idle_;
  int opened_ = 0;
};

}  // namespace koine::backend
