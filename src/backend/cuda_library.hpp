#pragma once

#include <cstdint>
#include <string>

#include "backend/cuda_table.hpp"

namespace koine::backend {

/// A GPU as the driver describes it.
struct DeviceInfo {
  int index = 0;
  std::string name;      ///< "NVIDIA H100 80GB HBM3"
  std::string identity;  ///< its UUID
  int major = 0, minor = 0;
  std::int64_t memory = 0, free = 0;  ///< bytes
};

/// How a GPU of this kind sums G fastest: in float64 where it makes half as many products in that
/// as in float32; the others make a 32nd or a 64th (CUDA C++ Programming Guide, throughput of
/// native arithmetic instructions: the data centres' are 6.0, 7.0, 8.0, 9.0 and 10.0).
[[nodiscard]] constexpr cuda::Gram gram_of(const DeviceInfo& device) noexcept {
  const bool has_fast_float64 = device.minor == 0 && device.major >= 6 && device.major <= 10;
  return has_fast_float64 ? cuda::Gram::float64 : cuda::Gram::float32;
}

/// libkoine_cuda.so, opened: the one place that knows its name. Stays open until the process ends.
class CudaLibrary {
 public:
  /// Looks for $KOINE_CUDA_LIBRARY if that is set; else beside this program, in ../lib, and where
  /// the system looks.  @throws DeviceError that says what is missing and what to do
  [[nodiscard]] static CudaLibrary open();

  [[nodiscard]] const cuda::Table& table() const noexcept { return *table_; }
  /// How many devices are visible.  @throws DeviceError where there is none
  [[nodiscard]] int device_count() const;
  /// Takes the device into use: this costs time, and memory there.  @throws DeviceError
  [[nodiscard]] DeviceInfo device(int index) const;
  [[nodiscard]] std::string versions() const;  ///< "CUDA 13.0, cuBLAS 13.1.0, cuSOLVER 12.0.4"

 private:
  explicit CudaLibrary(const cuda::Table* table) : table_(table) {}
  const cuda::Table* table_;
};

}  // namespace koine::backend
