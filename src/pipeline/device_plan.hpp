#pragma once

#include <optional>

#include "backend/lane_pool.hpp"
#include "pipeline/plan.hpp"
#include "pipeline/run_folder.hpp"

namespace koine::pipeline {

/// How a merge uses the GPU: for its largest selected matrix, on at most `threads` threads. Local.
/// @throws DeviceError where the matrix does not fit
[[nodiscard]] backend::LanePlan plan_device(const Plan& plan, const Inputs& inputs,
                                            const backend::Gpu& gpu, int threads);

/// What a merge has of the GPU; nothing where all arithmetic is the CPU's. Keeps a reference to
/// `gpu`.
class DeviceOfMerge {
 public:
  /// @param gpu null: none  @throws DeviceError as plan_device
  DeviceOfMerge(const backend::Gpu* gpu, const Plan& plan, const Inputs& inputs, int threads);
  [[nodiscard]] backend::LanePool* lanes() noexcept { return lanes_ ? &*lanes_ : nullptr; }
  [[nodiscard]] const DeviceArithmetic* arithmetic() const noexcept {
    return lanes_ ? &arithmetic_ : nullptr;
  }

 private:
  DeviceArithmetic arithmetic_;
  std::optional<backend::LanePool> lanes_;
};

}  // namespace koine::pipeline
