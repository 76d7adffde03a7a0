#include "comm/gpu_library.hpp"

#include <initializer_list>
#include <stdexcept>
#include <string>

#include <dlfcn.h>
#include <fmt/format.h>

namespace koine::comm {
namespace {

/// Why this process has no GPU for NCCL: an answer, not an error of the run.
struct Problem : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The first of these that the loader finds.
void* open_first(std::initializer_list<const char*> names) {
  std::string reason;  // of the first: the one that is meant
  for (const char* name : names) {
    if (void* library = ::dlopen(name, RTLD_NOW | RTLD_LOCAL)) return library;
    const char* said = ::dlerror();
    if (reason.empty() && said != nullptr) reason = said;
  }
  throw Problem(reason);
}

template <typename Function>
void find(void* library, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(::dlsym(library, name));
  if (function == nullptr) throw Problem(fmt::format("its library has no {}", name));
}

void open_cuda(GpuLibrary& library) {
  void* cuda = open_first({"libcudart.so.13", "libcudart.so.12", "libcudart.so"});
  find(cuda, "cudaGetErrorString", library.cuda_text);
  find(cuda, "cudaGetLastError", library.last_cuda_error);
  find(cuda, "cudaGetDeviceCount", library.count_devices);
  find(cuda, "cudaGetDeviceProperties", library.properties);
  find(cuda, "cudaDeviceGetPCIBusId", library.pci_address);
  find(cuda, "cudaSetDevice", library.set_device);
  find(cuda, "cudaMalloc", library.allocate);
  find(cuda, "cudaFree", library.release);
  find(cuda, "cudaMemcpyAsync", library.copy);
  find(cuda, "cudaStreamCreateWithFlags", library.create_stream);
  find(cuda, "cudaStreamQuery", library.query_stream);
  find(cuda, "cudaStreamDestroy", library.destroy_stream);
}

void open_nccl(GpuLibrary& library) {
  void* nccl = open_first({"libnccl.so.2"});
  find(nccl, "ncclGetErrorString", library.nccl_text);
  find(nccl, "ncclGetLastError", library.last_nccl_error);
  find(nccl, "ncclGetVersion", library.nccl_version);
  find(nccl, "ncclGetUniqueId", library.unique_id);
  find(nccl, "ncclCommInitRankConfig", library.init_rank);
  find(nccl, "ncclCommGetAsyncError", library.async_error);
  find(nccl, "ncclAllReduce", library.all_reduce);
  find(nccl, "ncclCommFinalize", library.finalize);
  find(nccl, "ncclCommDestroy", library.destroy);
  find(nccl, "ncclCommAbort", library.abort);
  int version = 0;
  if (library.nccl_version(&version) != abi::kSuccess || version < abi::kOldestNccl)
    throw Problem(fmt::format("NCCL is {}, {} or later is needed", version, abi::kOldestNccl));
}

void expect(const GpuLibrary& library, int status) {
  if (status == abi::kSuccess) return;
  library.last_cuda_error();  // clears it: without a GPU this is no error of the run
  throw Problem(library.cuda_text(status));
}

std::string uuid_text(const std::array<unsigned char, 16>& uuid) {
  std::string text = "GPU";
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    const bool is_group = i == 0 || i == 4 || i == 6 || i == 8 || i == 10;
    text += fmt::format("{}{:02x}", is_group ? "-" : "", uuid[i]);
  }
  return text;
}

std::vector<Gpu> list_gpus(const GpuLibrary& library) {
  int count = 0;
  expect(library, library.count_devices(&count));
  if (count == 0) throw Problem("no device is visible");
  std::vector<Gpu> gpus;
  for (int device = 0; device < count; ++device) {
    abi::DeviceProperties properties;
    std::array<char, 32> pci{};
    expect(library, library.properties(&properties, device));
    expect(library, library.pci_address(pci.data(), static_cast<int>(pci.size()) - 1, device));
    gpus.push_back({properties.name.data(), uuid_text(properties.uuid), pci.data()});
  }
  return gpus;
}

}  // namespace

std::string nccl_version() {
  try {
    int (*get)(int*) = nullptr;
    find(open_first({"libnccl.so.2"}), "ncclGetVersion", get);
    int code = 0;
    if (get(&code) != abi::kSuccess) return {};
    return fmt::format("{}.{}.{}", code / 10000, code / 100 % 100, code % 100);
  } catch (const Problem&) {
    return {};
  }
}

VisibleGpus open_gpus(GpuLibrary& library) {
  VisibleGpus seen{machine_name(), {}, {}};
  try {
    open_cuda(library);
    seen.gpus = list_gpus(library);
    open_nccl(library);
  } catch (const Problem& problem) {
    seen.problem = problem.what();
  }
  return seen;
}

}  // namespace koine::comm
