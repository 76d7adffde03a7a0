// What comm/gpu_library.hpp says of the CUDA runtime and of NCCL, held against their headers.
// Compiling this is the test.
#include <cstddef>
#include <type_traits>
#include <utility>

#include <cuda_runtime_api.h>
#include <nccl.h>

#include "comm/gpu_library.hpp"

namespace koine::comm {
namespace {

// Types as a call passes them: an enumeration is an int, a handle is an address.
template <typename T>
struct Plain {
  using Type = std::conditional_t<std::is_enum_v<T>, int, T>;
};
template <typename T>
struct Plain<T*> {
  using Type = std::conditional_t<std::is_const_v<T>, const void*, void*>;
};
template <>
struct Plain<ncclUniqueId> {
  using Type = abi::UniqueId;
};

template <typename Result, typename... Arguments>
auto plain(Result (*)(Arguments...)) ->
    typename Plain<Result>::Type (*)(typename Plain<Arguments>::Type...);

template <typename Ours, typename Theirs>
constexpr bool kAgree =
    std::is_same_v<decltype(plain(std::declval<Ours>())), decltype(plain(std::declval<Theirs>()))>;

using L = GpuLibrary;
static_assert(kAgree<decltype(L::cuda_text), decltype(&cudaGetErrorString)>);
static_assert(kAgree<decltype(L::last_cuda_error), decltype(&cudaGetLastError)>);
static_assert(kAgree<decltype(L::count_devices), decltype(&cudaGetDeviceCount)>);
static_assert(kAgree<decltype(L::properties), decltype(&cudaGetDeviceProperties)>);
static_assert(kAgree<decltype(L::pci_address), decltype(&cudaDeviceGetPCIBusId)>);
static_assert(kAgree<decltype(L::set_device), decltype(&cudaSetDevice)>);
static_assert(kAgree<decltype(L::allocate), cudaError_t (*)(void**, size_t)>);  // cudaMalloc
static_assert(kAgree<decltype(L::release), decltype(&cudaFree)>);
static_assert(kAgree<decltype(L::copy), decltype(&cudaMemcpyAsync)>);
static_assert(kAgree<decltype(L::create_stream), decltype(&cudaStreamCreateWithFlags)>);
static_assert(kAgree<decltype(L::query_stream), decltype(&cudaStreamQuery)>);
static_assert(kAgree<decltype(L::destroy_stream), decltype(&cudaStreamDestroy)>);
static_assert(kAgree<decltype(L::nccl_text), decltype(&ncclGetErrorString)>);
static_assert(kAgree<decltype(L::last_nccl_error), decltype(&ncclGetLastError)>);
static_assert(kAgree<decltype(L::nccl_version), decltype(&ncclGetVersion)>);
static_assert(kAgree<decltype(L::unique_id), decltype(&ncclGetUniqueId)>);
static_assert(kAgree<decltype(L::init_rank), decltype(&ncclCommInitRankConfig)>);
static_assert(kAgree<decltype(L::async_error), decltype(&ncclCommGetAsyncError)>);
static_assert(kAgree<decltype(L::all_reduce), decltype(&ncclAllReduce)>);
static_assert(kAgree<decltype(L::finalize), decltype(&ncclCommFinalize)>);
static_assert(kAgree<decltype(L::destroy), decltype(&ncclCommDestroy)>);
static_assert(kAgree<decltype(L::abort), decltype(&ncclCommAbort)>);

static_assert(sizeof(ncclResult_t) == sizeof(int) && sizeof(cudaError_t) == sizeof(int));
static_assert(abi::kSuccess == static_cast<int>(ncclSuccess));
static_assert(abi::kSuccess == static_cast<int>(cudaSuccess));
static_assert(abi::kInProgress == static_cast<int>(ncclInProgress));
static_assert(abi::kInt64 == static_cast<int>(ncclInt64));
static_assert(abi::kFloat64 == static_cast<int>(ncclFloat64));
static_assert(abi::kSum == static_cast<int>(ncclSum));
static_assert(abi::kNotReady == static_cast<int>(cudaErrorNotReady));
static_assert(abi::kToDevice == static_cast<int>(cudaMemcpyHostToDevice));
static_assert(abi::kToHost == static_cast<int>(cudaMemcpyDeviceToHost));
static_assert(abi::kNonBlockingStream == cudaStreamNonBlocking);
static_assert(abi::kOldestNccl == NCCL_VERSION(2, 18, 0));

static_assert(sizeof(abi::UniqueId) == sizeof(ncclUniqueId));
static_assert(offsetof(abi::Config, magic) == offsetof(ncclConfig_t, magic));
static_assert(offsetof(abi::Config, version) == offsetof(ncclConfig_t, version));
static_assert(offsetof(abi::Config, blocking) == offsetof(ncclConfig_t, blocking));
static_assert(offsetof(abi::Config, cga_cluster_size) == offsetof(ncclConfig_t, cgaClusterSize));
static_assert(offsetof(abi::Config, min_ctas) == offsetof(ncclConfig_t, minCTAs));
static_assert(offsetof(abi::Config, max_ctas) == offsetof(ncclConfig_t, maxCTAs));
static_assert(offsetof(abi::Config, net_name) == offsetof(ncclConfig_t, netName));
static_assert(offsetof(abi::Config, split_share) == offsetof(ncclConfig_t, splitShare));
static_assert(NCCL_CONFIG_UNDEF_INT == INT_MIN);

static_assert(offsetof(abi::DeviceProperties, name) == offsetof(cudaDeviceProp, name));
static_assert(offsetof(abi::DeviceProperties, uuid) == offsetof(cudaDeviceProp, uuid));
static_assert(sizeof(abi::DeviceProperties) >= sizeof(cudaDeviceProp));

}  // namespace
}  // namespace koine::comm
