// Takes the place of libcudart.so: as many GPUs as KOINE_FAKE_GPUS says, whose memory is the
// host's. Only what comm/gpu_library.hpp asks for.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "comm/gpu_library.hpp"
#include "fake_stream.hpp"

namespace {

namespace abi = koine::comm::abi;
constexpr int kInvalidValue = 1, kNoDevice = 100;

int visible() {
  const char* text = std::getenv("KOINE_FAKE_GPUS");
  return text != nullptr ? std::atoi(text) : 0;
}

bool is_busy(const FakeStream& stream) {
  return stream.work != nullptr;
}

}  // namespace

// The names are NVIDIA's. NOLINTBEGIN(readability-identifier-naming)
FAKE_API const char* cudaGetErrorString(int status) {
  return status == kNoDevice ? "no CUDA-capable device is detected" : "invalid argument";
}
FAKE_API int cudaGetLastError() {
  return abi::kSuccess;
}
FAKE_API int cudaGetDeviceCount(int* count) {
  *count = visible();
  return *count > 0 ? abi::kSuccess : kNoDevice;
}
FAKE_API int cudaGetDeviceProperties(abi::DeviceProperties* properties, int device) {
  *properties = {};
  std::snprintf(properties->name.data(), properties->name.size(), "Fake GPU");
  properties->uuid[15] = static_cast<unsigned char>(device);
  return abi::kSuccess;
}
FAKE_API int cudaDeviceGetPCIBusId(char* text, int length, int device) {
  std::snprintf(text, static_cast<std::size_t>(length), "0000:%02x:00.0", device + 1);
  return abi::kSuccess;
}
FAKE_API int cudaSetDevice(int device) {
  return device >= 0 && device < visible() ? abi::kSuccess : kInvalidValue;
}
FAKE_API int cudaMalloc(void** memory, std::size_t bytes) {
  *memory = std::malloc(bytes);
  return abi::kSuccess;
}
FAKE_API int cudaFree(void* memory) {
  std::free(memory);
  return abi::kSuccess;
}
/// On a busy stream a copy from or to memory that is not pinned would block: refused here.
FAKE_API int cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, int, void* stream) {
  if (is_busy(*static_cast<FakeStream*>(stream))) return kInvalidValue;
  std::memcpy(to, from, bytes);
  return abi::kSuccess;
}
FAKE_API int cudaStreamCreateWithFlags(void** stream, unsigned) {
  *stream = new FakeStream;
  return abi::kSuccess;
}
FAKE_API int cudaStreamQuery(void* stream) {
  auto& fake = *static_cast<FakeStream*>(stream);
  if (is_busy(fake) && fake.advance(fake.work)) fake.work = nullptr;
  return is_busy(fake) ? abi::kNotReady : abi::kSuccess;
}
FAKE_API int cudaStreamDestroy(void* stream) {
  delete static_cast<FakeStream*>(stream);
  return abi::kSuccess;
}
// NOLINTEND(readability-identifier-naming)
