#include "backend/lane_pool.hpp"

namespace koine::backend {

LanePool::Lease LanePool::borrow() {
  std::unique_lock lock(guard_);
  returned_.wait(lock, [this] { return !idle_.empty() || opened_ < plan_.lanes; });
  if (!idle_.empty()) {
    std::unique_ptr<DeviceLane> lane = std::move(idle_.back());
    idle_.pop_back();
    return {*this, std::move(lane)};
  }
  auto lane = std::make_unique<DeviceLane>(gpu_.library, gpu_.device.index, plan_.slots);
  ++opened_;
  return {*this, std::move(lane)};
}

void LanePool::give_back(std::unique_ptr<DeviceLane> lane) {
  {
    const std::lock_guard lock(guard_);
    idle_.push_back(std::move(lane));
  }
  returned_.notify_one();
}

}  // namespace koine::backend
