#include "backend/gpu.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "backend/device_lane.hpp"
#include "core/error.hpp"

namespace koine::backend {
namespace {

int number_of(const char* text) {
  return text == nullptr ? -1 : std::atoi(text);
}

/// Runs our kernels and opens the libraries' handles once.
void try_device(const CudaLibrary& library, int device) {
  const std::array<float, 1> one{1.0F};
  DeviceLane lane(library, device, 1);
  const RawSpan raw{DType::f32, std::as_bytes(std::span(one))};
  if (!lane.start(1, 1, raw) || lane.put(0, raw).squared != 0)
    throw DeviceError(
        "the device computes 1 - 1 wrongly; see what nvidia-smi says of it, or use "
        "--backend cpu");
}

Gpu find_gpu() {
  const CudaLibrary library = CudaLibrary::open();
  const int visible = library.device_count();
  const LocalProcess process = local_process();
  const int device = device_of(process.rank, visible);
  try_device(library, device);
  return {library, library.device(device), library.versions(),
          processes_on(device, process.size, visible)};
}

}  // namespace

LocalProcess local_process() {
  struct Names {
    const char *rank, *size;
  };
  constexpr std::array<Names, 4> kLaunchers{
      {{"OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"},
       {"MPI_LOCALRANKID", "MPI_LOCALNRANKS"},
       {"PMI_LOCAL_RANK", "PMI_LOCAL_SIZE"},
       {"SLURM_LOCALID", "SLURM_NTASKS_PER_NODE"}}};
  for (const Names& names : kLaunchers) {
    const int rank = number_of(std::getenv(names.rank));
    if (rank >= 0) return {rank, std::max(number_of(std::getenv(names.size)), rank + 1)};
  }
  return {};
}

int device_of(int local_rank, int visible) noexcept {
  return local_rank % visible;
}

int processes_on(int device, int local_size, int visible) noexcept {
  return local_size > device ? (local_size - device - 1) / visible + 1 : 1;
}

Choice choose_backend(std::string_view wish) {
  if (wish == "cpu") return {};
  if (wish == "cuda") return {find_gpu(), ""};
  try {
    return {find_gpu(), ""};
  } catch (const DeviceError& error) {
    return {std::nullopt, error.what()};
  }
}

}  // namespace koine::backend
