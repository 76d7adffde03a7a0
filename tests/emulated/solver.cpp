#include <algorithm>
#include <cstring>
#include <vector>

#include <cusolverDn.h>
#include <lapacke.h>

// Workspaces are asked for in odd sizes and must come back so.
namespace {

constexpr std::size_t kOnDevice = 1000, kOnHost = 24;

char letter(cublasFillMode_t fill) {
  return fill == CUBLAS_FILL_MODE_LOWER ? 'L' : 'U';
}

cusolverStatus_t sizes(std::size_t* on_device, std::size_t* on_host) {
  *on_device = kOnDevice;
  *on_host = kOnHost;
  return CUSOLVER_STATUS_SUCCESS;
}

bool has_workspaces(void* device_work, std::size_t on_device, void* host_work,
                    std::size_t on_host) {
  emulated::require_device(device_work, kOnDevice);
  std::memset(device_work, 0xFF, kOnDevice);
  return on_device == kOnDevice && on_host == kOnHost && host_work != nullptr;
}

/// Eigenvectors take the place of the matrix; what lies outside of the triangle is not read.
int eigenpairs(cublasFillMode_t fill, std::int64_t n, double* a, std::int64_t lda, double* w) {
  return LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', letter(fill), static_cast<lapack_int>(n), a,
                        static_cast<lapack_int>(lda), w);
}

}  // namespace

struct EmulatedSolver {
  bool is_deterministic = false;
};
struct EmulatedParams {};

cusolverStatus_t cusolverDnCreate(cusolverDnHandle_t* handle) {
  *handle = new EmulatedSolver;
  return CUSOLVER_STATUS_SUCCESS;
}
cusolverStatus_t cusolverDnDestroy(cusolverDnHandle_t handle) {
  delete handle;
  return CUSOLVER_STATUS_SUCCESS;
}
cusolverStatus_t cusolverDnCreateParams(cusolverDnParams_t* params) {
  *params = new EmulatedParams;
  return CUSOLVER_STATUS_SUCCESS;
}
cusolverStatus_t cusolverDnDestroyParams(cusolverDnParams_t params) {
  delete params;
  return CUSOLVER_STATUS_SUCCESS;
}
cusolverStatus_t cusolverDnSetStream(cusolverDnHandle_t /*handle*/, cudaStream_t /*stream*/) {
  return CUSOLVER_STATUS_SUCCESS;
}
cusolverStatus_t cusolverDnSetDeterministicMode(cusolverDnHandle_t handle,
                                                cusolverDeterministicMode_t mode) {
  handle->is_deterministic = mode == CUSOLVER_DETERMINISTIC_RESULTS;
  return CUSOLVER_STATUS_SUCCESS;
}
cusolverStatus_t cusolverGetProperty(libraryPropertyType /*type*/, int* value) {
  *value = 0;
  return CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t cusolverDnXsyevd_bufferSize(cusolverDnHandle_t, cusolverDnParams_t,
                                             cusolverEigMode_t, cublasFillMode_t, std::int64_t,
                                             cudaDataType, const void*, std::int64_t, cudaDataType,
                                             const void*, cudaDataType, std::size_t* on_device,
                                             std::size_t* on_host) {
  return sizes(on_device, on_host);
}
cusolverStatus_t cusolverDnXsyevd(cusolverDnHandle_t handle, cusolverDnParams_t, cusolverEigMode_t,
                                  cublasFillMode_t fill, std::int64_t n, cudaDataType, void* a,
                                  std::int64_t lda, cudaDataType, void* w, cudaDataType,
                                  void* device_work, std::size_t on_device, void* host_work,
                                  std::size_t on_host, int* info) {
  if (!handle->is_deterministic || !has_workspaces(device_work, on_device, host_work, on_host))
    return CUSOLVER_STATUS_INVALID_VALUE;
  *info = eigenpairs(fill, n, static_cast<double*>(a), lda, static_cast<double*>(w));
  if (emulated::fails("Xsyevd")) *info = 1;
  return CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t cusolverDnXsyevBatched_bufferSize(cusolverDnHandle_t, cusolverDnParams_t,
                                                   cusolverEigMode_t, cublasFillMode_t,
                                                   std::int64_t, cudaDataType, const void*,
                                                   std::int64_t, cudaDataType, const void*,
                                                   cudaDataType, std::size_t* on_device,
                                                   std::size_t* on_host, std::int64_t) {
  if (emulated::fails("XsyevBatched_bufferSize")) return CUSOLVER_STATUS_NOT_SUPPORTED;
  return sizes(on_device, on_host);
}
cusolverStatus_t cusolverDnXsyevBatched(cusolverDnHandle_t handle, cusolverDnParams_t,
                                        cusolverEigMode_t, cublasFillMode_t fill, std::int64_t n,
                                        cudaDataType, void* a, std::int64_t lda, cudaDataType,
                                        void* w, cudaDataType, void* device_work,
                                        std::size_t on_device, void* host_work, std::size_t on_host,
                                        int* info, std::int64_t batch) {
  if (!handle->is_deterministic || !has_workspaces(device_work, on_device, host_work, on_host))
    return CUSOLVER_STATUS_INVALID_VALUE;
  for (std::int64_t s = 0; s < batch; ++s) {
    info[s] = eigenpairs(fill, n, static_cast<double*>(a) + s * lda * n, lda,
                         static_cast<double*>(w) + s * n);
    if (emulated::fails("XsyevBatched")) info[s] = 1;
  }
  return CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t cusolverDnXgesvdp_bufferSize(cusolverDnHandle_t, cusolverDnParams_t,
                                              cusolverEigMode_t, int, std::int64_t, std::int64_t,
                                              cudaDataType, const void*, std::int64_t, cudaDataType,
                                              const void*, cudaDataType, const void*, std::int64_t,
                                              cudaDataType, const void*, std::int64_t, cudaDataType,
                                              std::size_t* on_device, std::size_t* on_host) {
  return sizes(on_device, on_host);
}
/// V comes back, not its transpose.
cusolverStatus_t cusolverDnXgesvdp(cusolverDnHandle_t handle, cusolverDnParams_t, cusolverEigMode_t,
                                   int economy, std::int64_t m, std::int64_t n, cudaDataType,
                                   void* a, std::int64_t lda, cudaDataType, void* s, cudaDataType,
                                   void* u, std::int64_t ldu, cudaDataType, void* v,
                                   std::int64_t ldv, cudaDataType, void* device_work,
                                   std::size_t on_device, void* host_work, std::size_t on_host,
                                   int* info, double* error_of_sigma) {
  if (!handle->is_deterministic || economy != 1 || m < n ||
      !has_workspaces(device_work, on_device, host_work, on_host))
    return CUSOLVER_STATUS_INVALID_VALUE;
  *info =
      LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'S', static_cast<lapack_int>(m), static_cast<lapack_int>(n),
                     static_cast<double*>(a), static_cast<lapack_int>(lda), static_cast<double*>(s),
                     static_cast<double*>(u), static_cast<lapack_int>(ldu), static_cast<double*>(v),
                     static_cast<lapack_int>(ldv));
  auto* right = static_cast<double*>(v);
  for (std::int64_t j = 0; j < n; ++j) {
    for (std::int64_t i = 0; i < j; ++i) std::swap(right[j * ldv + i], right[i * ldv + j]);
  }
  *error_of_sigma = emulated::fails("Xgesvdp_sigma") ? 1e30 : 0;
  if (emulated::fails("Xgesvdp")) *info = 1;
  return CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t cusolverDnXpotrf_bufferSize(cusolverDnHandle_t, cusolverDnParams_t,
                                             cublasFillMode_t, std::int64_t, cudaDataType,
                                             const void*, std::int64_t, cudaDataType,
                                             std::size_t* on_device, std::size_t* on_host) {
  return sizes(on_device, on_host);
}
cusolverStatus_t cusolverDnXpotrf(cusolverDnHandle_t, cusolverDnParams_t, cublasFillMode_t fill,
                                  std::int64_t n, cudaDataType, void* a, std::int64_t lda,
                                  cudaDataType, void* device_work, std::size_t on_device,
                                  void* host_work, std::size_t on_host, int* info) {
  if (!has_workspaces(device_work, on_device, host_work, on_host))
    return CUSOLVER_STATUS_INVALID_VALUE;
  *info = LAPACKE_dpotrf(LAPACK_COL_MAJOR, letter(fill), static_cast<lapack_int>(n),
                         static_cast<double*>(a), static_cast<lapack_int>(lda));
  return CUSOLVER_STATUS_SUCCESS;
}
