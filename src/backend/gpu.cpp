#include "backend/gpu.hpp"

#include <array>

#include "backend/device_lane.hpp"
#include "core/error.hpp"

namespace koine::backend {
namespace {

/// Runs our kernels and opens the libraries' handles once.
void try_device(const CudaLibrary& library, int device) {
  const std::array<float, 1> one{1.0F};
  DeviceLane lane(library, device, 1);
  const RawSpan raw{DType::f32, std::as_bytes(std::span(one))};
  lane.begin(1, 1, 1);
  lane.start(0, DeviceLane::stored(raw));
  lane.put(0, 0, DeviceLane::stored(raw));
  const auto facts = lane.facts();
  if (!facts.base_is_finite[0] || facts.task_vectors[0].squared != 0)
    throw DeviceError(
        "the device computes 1 - 1 wrongly; see what nvidia-smi says of it, or use "
        "--backend cpu");
}

Gpu find_gpu(int local_rank) {
  const CudaLibrary library = CudaLibrary::open();
  const int device = device_of(local_rank, library.device_count());
  try_device(library, device);
  return {library, library.device(device), library.versions()};
}

}  // namespace

int device_of(int local_rank, int visible) noexcept {
  return local_rank % visible;
}

Choice choose_gpu(int local_rank) {
  try {
    return {find_gpu(local_rank), ""};
  } catch (const DeviceError& error) {
    return {std::nullopt, error.what()};
  }
}

}  // namespace koine::backend
