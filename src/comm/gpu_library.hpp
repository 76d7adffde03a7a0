#pragma once

#include <array>
#include <climits>
#include <cstddef>

#include "comm/gpu_choice.hpp"

namespace koine::comm {

/// The few types and values of the CUDA runtime and of NCCL that we pass, as both have had them
/// since CUDA 12 and NCCL 2.18. tests/parity/gpu_abi.cpp holds them against the real headers.
namespace abi {

struct UniqueId {
  std::array<char, 128> bytes{};
};

/// ncclConfig_t of 2.18; a later library knows by `version` what is not there.
struct Config {
  std::size_t size = sizeof(Config);
  unsigned magic = 0xcafebeef;
  unsigned version = 21800;
  int blocking = 0;
  int cga_cluster_size = INT_MIN, min_ctas = INT_MIN, max_ctas = INT_MIN;
  const char* net_name = nullptr;
  int split_share = INT_MIN;
};

/// The head of cudaDeviceProp; the rest differs between versions.
struct DeviceProperties {
  std::array<char, 256> name{};
  std::array<unsigned char, 16> uuid{};
  std::array<char, 4096> rest{};
};

constexpr int kOldestNccl = 21800;
constexpr int kSuccess = 0, kInProgress = 7;       // ncclResult_t
constexpr int kInt64 = 4, kFloat64 = 8, kSum = 0;  // ncclDataType_t, ncclRedOp_t
constexpr int kNotReady = 600;                     // cudaError_t
constexpr int kToDevice = 1, kToHost = 2;          // cudaMemcpyKind
constexpr unsigned kNonBlockingStream = 1;         // cudaStreamNonBlocking

}  // namespace abi

/// Functions of the CUDA runtime and of NCCL, found while the program runs: it links neither.
struct GpuLibrary {
  const char* (*cuda_text)(int status) = nullptr;
  int (*last_cuda_error)() = nullptr;
  int (*count_devices)(int* count) = nullptr;
  int (*properties)(abi::DeviceProperties* properties, int device) = nullptr;
  int (*pci_address)(char* text, int length, int device) = nullptr;
  int (*set_device)(int device) = nullptr;
  int (*allocate)(void** memory, std::size_t bytes) = nullptr;
  int (*release)(void* memory) = nullptr;
  int (*copy)(void* to, const void* from, std::size_t bytes, int kind, void* stream) = nullptr;
  int (*create_stream)(void** stream, unsigned flags) = nullptr;
  int (*query_stream)(void* stream) = nullptr;
  int (*destroy_stream)(void* stream) = nullptr;

  const char* (*nccl_text)(int status) = nullptr;
  const char* (*last_nccl_error)(void* comm) = nullptr;
  int (*nccl_version)(int* version) = nullptr;
  int (*unique_id)(abi::UniqueId* id) = nullptr;
  int (*init_rank)(void** comm, int size, abi::UniqueId id, int rank, abi::Config*) = nullptr;
  int (*async_error)(void* comm, int* status) = nullptr;
  int (*all_reduce)(const void* from, void* to, std::size_t count, int type, int operation,
                    void* comm, void* stream) = nullptr;
  int (*finalize)(void* comm) = nullptr;
  int (*destroy)(void* comm) = nullptr;
  int (*abort)(void* comm) = nullptr;
};

/// Opens the CUDA runtime and, where that sees a GPU, NCCL; both stay open.
/// @return what this process sees; `library` is filled where its `problem` is empty. Local.
[[nodiscard]] VisibleGpus open_gpus(GpuLibrary& library);

/// "2.28.9"; empty where NCCL cannot be opened.
[[nodiscard]] std::string nccl_version();

}  // namespace koine::comm
