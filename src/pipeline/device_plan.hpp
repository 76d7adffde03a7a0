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
  struct Wish {
    const backend::Gpu* gpu;  ///< null: none
    bool is_must;             ///< else the CPU where some process' GPU is too small
  };
  /// Collective: all processes use theirs or none does. @throws DeviceError as plan_device, where
  /// it is a must
  DeviceOfMerge(const Wish& wish, const Plan& plan, const Inputs& inputs, int threads,
                comm::Communicator& processes);
  [[nodiscard]] const std::vector<std::string>& notes() const noexcept { return notes_; }
  [[nodiscard]] backend::LanePool* lanes() noexcept { return lanes_ ? &*lanes_ : nullptr; }
  [[nodiscard]] const DeviceArithmetic* arithmetic() const noexcept {
    return lanes_ ? &arithmetic_ : nullptr;
  }

 private:
  DeviceArithmetic arithmetic_;
  std::vector<std::string> notes_;  ///< why it is not used
  std::optional<backend::LanePool> lanes_;
};

}  // namespace koine::pipeline
