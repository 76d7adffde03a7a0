#pragma once

#include <functional>

#include "backend/device_lane.hpp"
#include "methods/method.hpp"

namespace koine::methods {

/// One task vector in a slot of a lane.
struct DevicePart {
  backend::DeviceLane& lane;
  int slot = 0;
  std::function<lowrank::Factors()> factorise;
};

/// As Method::prune, on the device: M of the slot becomes the lane's M, in the method's two halves.
/// Equal factors give the CPU's M, bit for bit; figures that are sums may differ in their last
/// bits.
/// @pre method.selects(); tau is finite  @throws DeviceError, and what factorise throws
[[nodiscard]] stats::ExpertRow prune_on_device(const Method& method,
                                               const PruneParameters& parameters, DevicePart& part);

}  // namespace koine::methods
