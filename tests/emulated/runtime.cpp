#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include <cuda_runtime.h>

#include "streams.hpp"

namespace {

std::mutex guard;
std::map<const char*, std::size_t>& allocations() {  // never destroyed: handles end after main
  static auto& all = *new std::map<const char*, std::size_t>;
  return all;
}

std::size_t number(const char* name, std::size_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}
std::size_t device_memory() {
  return number("KOINE_EMULATED_MEMORY", std::size_t{8} << 30);
}

thread_local cudaError_t last_error = cudaSuccess;

}  // namespace

namespace emulated {

bool fails(const char* call) {
  const char* text = std::getenv("KOINE_EMULATED_FAIL");
  if (text == nullptr) return false;
  const std::string list = std::string(",") + text + ",";
  return list.find(std::string(",") + call + ",") != std::string::npos;
}

void leave_error(cudaError_t error) {
  last_error = error;
}

void require_device(const void* data, std::size_t bytes) {
  const std::lock_guard lock(guard);
  const char* at = static_cast<const char*>(data);
  auto next = allocations().upper_bound(at);
  if (next != allocations().begin()) {
    const auto& [first, size] = *--next;
    if (at + bytes <= first + size) return;
  }
  std::fprintf(stderr, "emulated device: %zu bytes at %p are in no allocation\n", bytes, data);
  std::abort();
}

}  // namespace emulated

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "no error";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorNoDevice:
      return "no CUDA-capable device is detected";
    default:
      return "invalid argument";
  }
}
cudaError_t cudaGetLastError() {
  return std::exchange(last_error, cudaSuccess);
}
cudaError_t cudaGetDeviceCount(int* count) {
  *count = static_cast<int>(number("KOINE_EMULATED_DEVICES", 1));
  return *count > 0 ? cudaSuccess : cudaErrorNoDevice;
}
cudaError_t cudaSetDevice(int device) {
  int count = 0;
  cudaGetDeviceCount(&count);
  return device >= 0 && device < count ? cudaSuccess : cudaErrorInvalidValue;
}
cudaError_t cudaSetDeviceFlags(unsigned /*flags*/) {
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  std::snprintf(properties->name, sizeof properties->name, "emulated device");
  properties->uuid = {};
  properties->uuid.bytes[15] = static_cast<char>(device);
  const std::size_t capability = number("KOINE_EMULATED_CAPABILITY", 90);
  properties->major = static_cast<int>(capability / 10);
  properties->minor = static_cast<int>(capability % 10);
  return cudaSetDevice(device);
}
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* all) {
  *free = *all = device_memory();
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = 13000;
  return cudaSuccess;
}
cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  if (emulated::fails("cudaMalloc")) return cudaErrorMemoryAllocation;
  *memory = std::malloc(bytes);
  if (*memory == nullptr) return cudaErrorMemoryAllocation;
  std::memset(*memory, 0xFF, bytes);  // NaN: what is read before it is written shows
  const std::lock_guard lock(guard);
  allocations()[static_cast<const char*>(*memory)] = bytes;
  return cudaSuccess;
}
cudaError_t cudaFree(void* memory) {
  emulated::drain_all();
  {
    const std::lock_guard lock(guard);
    allocations().erase(static_cast<const char*>(memory));
  }
  std::free(memory);
  return cudaSuccess;
}
