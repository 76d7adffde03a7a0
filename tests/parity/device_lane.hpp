#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "backend/device_lane.hpp"
#include "core/error.hpp"

namespace koine::test {

inline constexpr int kSlots = 4;

/// A lane on the first device of the library that KOINE_CUDA_LIBRARY names; skips where there is
/// none.
class OnDevice {
 public:
  OnDevice() {
    try {
      library_ = std::make_unique<backend::CudaLibrary>(backend::CudaLibrary::open());
      is_emulated_ = library_->device_count() > 0 && library_->device(0).name == "emulated device";
      lane_ = std::make_unique<backend::DeviceLane>(*library_, 0, kSlots);
    } catch (const DeviceError& error) {
      why_not_ = error.what();
    }
  }
  [[nodiscard]] const std::string& why_not() const noexcept { return why_not_; }
  [[nodiscard]] bool is_emulated() const noexcept { return is_emulated_; }
  [[nodiscard]] backend::DeviceLane& lane() const { return *lane_; }

 private:
  std::unique_ptr<backend::CudaLibrary> library_;
  std::unique_ptr<backend::DeviceLane> lane_;
  bool is_emulated_ = false;
  std::string why_not_;
};

/// For tests of which each case has a lane.
template <typename Base>
class DeviceCase : public Base {
 protected:
  void SetUp() override {
    if (!on_device_.why_not().empty()) GTEST_SKIP() << on_device_.why_not();
  }
  [[nodiscard]] backend::DeviceLane& lane() const { return on_device_.lane(); }
  [[nodiscard]] bool is_emulated() const { return on_device_.is_emulated(); }

  /// A tensor with a base of zeros and these task vectors in the first slots (empty: zeros).
  void load(std::int64_t rows, std::int64_t cols, const std::vector<std::vector<float>>& taus) {
    lane().begin(rows, cols, 1);
    lane().start_with_zeros(0);
    for (int slot = 0; slot < kSlots; ++slot) {
      const auto s = static_cast<std::size_t>(slot);
      if (s >= taus.size() || taus[s].empty()) {
        lane().clear(slot);
        continue;
      }
      lane().put(slot, 0, stored(taus[s]));
    }
    const auto facts = lane().facts();
    EXPECT_TRUE(facts.base_is_finite[0]);
    for (std::size_t s = 0; s < squared_.size(); ++s) squared_[s] = facts.task_vectors[s].squared;
  }
  [[nodiscard]] double squared(int slot) const { return squared_[static_cast<std::size_t>(slot)]; }

  /// The lane's M, by way of a sum of it alone.
  std::vector<float> fetch_m(std::int64_t count) {
    (void)lane().add(0, 1);
    (void)lane().finish(0, {}, 0);
    std::vector<float> m(static_cast<std::size_t>(count));
    std::ranges::copy(lane().take(0, count * 4), std::as_writable_bytes(std::span(m)).begin());
    return m;
  }
  [[nodiscard]] static backend::cuda::Stored stored(const std::vector<float>& values) {
    return backend::DeviceLane::stored({DType::f32, std::as_bytes(std::span(values))});
  }

 private:
  OnDevice on_device_;
  std::array<double, kSlots> squared_{};
};

}  // namespace koine::test
