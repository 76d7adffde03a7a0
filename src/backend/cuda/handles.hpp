#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <cublas_v2.h>
#include <cuda_runtime.h>
#include <cusolverDn.h>

#include "backend/cuda/check.hpp"
#include "core/unique_handle.hpp"

namespace koine::cuda {

/// Of a pointer-like C handle and the call that ends it. What ending answers is of no use: the
/// device's next call says the same.
template <typename Handle, auto End>
struct HandleTraits {
  using Raw = Handle;
  static Raw null() noexcept { return nullptr; }
  static void destroy(Raw raw) noexcept { (void)End(raw); }
};

using Stream = UniqueHandle<HandleTraits<cudaStream_t, cudaStreamDestroy>>;
using BlasHandle = UniqueHandle<HandleTraits<cublasHandle_t, cublasDestroy>>;
using SolverHandle = UniqueHandle<HandleTraits<cusolverDnHandle_t, cusolverDnDestroy>>;
using SolverParams = UniqueHandle<HandleTraits<cusolverDnParams_t, cusolverDnDestroyParams>>;
using JacobiInfo = UniqueHandle<HandleTraits<gesvdjInfo_t, cusolverDnDestroyGesvdjInfo>>;
using Event = UniqueHandle<HandleTraits<cudaEvent_t, cudaEventDestroy>>;
using DeviceMemory = UniqueHandle<HandleTraits<void*, cudaFree>>;
using PinnedMemory = UniqueHandle<HandleTraits<void*, cudaFreeHost>>;

/// @throws DeviceError
[[nodiscard]] inline Stream make_stream() {
  cudaStream_t raw = nullptr;
  check(cudaStreamCreateWithFlags(&raw, cudaStreamNonBlocking));
  return Stream(raw);
}
/// One that is waited for asleep: readers and writers share the cores with lanes.
[[nodiscard]] inline Event make_event() {
  cudaEvent_t raw = nullptr;
  check(cudaEventCreateWithFlags(&raw, cudaEventBlockingSync));
  return Event(raw);
}

/// Device memory that grows to the largest size asked for and is used again; what was there is lost
/// when it grows.
template <typename T>
class Buffer {
 public:
  /// @throws DeviceError
  T* reserve(std::int64_t count) {
    check(try_reserve(count));
    return data();
  }
  /// The same; says where there is no room. Then it holds nothing.
  [[nodiscard]] cudaError_t try_reserve(std::int64_t count) {
    if (count > count_) {
      memory_ = DeviceMemory();  // first: never two at once
      count_ = 0;
      void* raw = nullptr;
      const cudaError_t status = cudaMalloc(&raw, static_cast<std::size_t>(count) * sizeof(T));
      if (status != cudaSuccess) {
        cudaGetLastError();  // it is dealt with
        return status;
      }
      memory_ = DeviceMemory(raw);
      count_ = count;
    }
    return cudaSuccess;
  }
  [[nodiscard]] T* data() const noexcept { return static_cast<T*>(memory_.get()); }

 private:
  DeviceMemory memory_;
  std::int64_t count_ = 0;
};

/// Page-locked host memory that grows as a Buffer does: what a device copies without the host.
class PinnedBuffer {
 public:
  /// @throws DeviceError
  std::byte* reserve(std::int64_t bytes) {
    if (bytes > bytes_) {
      memory_ = PinnedMemory();  // first: never two at once
      bytes_ = 0;
      void* raw = nullptr;
      check(cudaMallocHost(&raw, static_cast<std::size_t>(bytes)));
      memory_ = PinnedMemory(raw);
      bytes_ = bytes;
    }
    return data();
  }
  [[nodiscard]] std::byte* data() const noexcept { return static_cast<std::byte*>(memory_.get()); }

 private:
  PinnedMemory memory_;
  std::int64_t bytes_ = 0;
};

}  // namespace koine::cuda
