#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>
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

/// As cuSOLVER may leave it.
cusolverStatus_t refusal() {
  emulated::leave_error(cudaErrorInvalidValue);
  return CUSOLVER_STATUS_NOT_SUPPORTED;
}

bool has_workspaces(void* device_work, std::size_t on_device, void* host_work,
                    std::size_t on_host) {
  emulated::require_device(device_work, kOnDevice);
  return on_device == kOnDevice && on_host == kOnHost && host_work != nullptr;
}

/// A = U S V^T: V comes back, not its transpose, as from cuSOLVER's SVDs.
// NOLINTNEXTLINE(readability-function-size): LAPACK's own parameters
int svd(std::int64_t m, std::int64_t n, double* a, std::int64_t lda, double* s, double* u,
        std::int64_t ldu, double* v, std::int64_t ldv) {
  const int info = LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'S', static_cast<lapack_int>(m),
                                  static_cast<lapack_int>(n), a, static_cast<lapack_int>(lda), s, u,
                                  static_cast<lapack_int>(ldu), v, static_cast<lapack_int>(ldv));
  for (std::int64_t j = 0; j < n; ++j) {
    for (std::int64_t i = 0; i < j; ++i) std::swap(v[j * ldv + i], v[i * ldv + j]);
  }
  return info;
}

/// Eigenvectors take the place of the matrix; what lies outside of the triangle is not read.
int eigenpairs(cublasFillMode_t fill, std::int64_t n, double* a, std::int64_t lda, double* w) {
  return LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', letter(fill), static_cast<lapack_int>(n), a,
                        static_cast<lapack_int>(lda), w);
}

}  // namespace

struct EmulatedSolver {
  cudaStream_t stream = nullptr;
  bool is_deterministic = false;

  /// Work of its stream that overwrites a workspace.
  void enqueue(void* device_work, std::function<void()> work) const {
    emulated::enqueue(stream, [device_work, work = std::move(work)] {
      std::memset(device_work, 0xFF, kOnDevice);
      work();
    });
  }
};
struct EmulatedParams {};
struct EmulatedJacobi {};

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
cusolverStatus_t cusolverDnSetStream(cusolverDnHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
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
  handle->enqueue(device_work, [=] {
    *info = eigenpairs(fill, n, static_cast<double*>(a), lda, static_cast<double*>(w));
    if (emulated::fails("Xsyevd")) *info = 1;
  });
  return CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t cusolverDnXsyevBatched_bufferSize(cusolverDnHandle_t, cusolverDnParams_t,
                                                   cusolverEigMode_t, cublasFillMode_t,
                                                   std::int64_t, cudaDataType, const void*,
                                                   std::int64_t, cudaDataType, const void*,
                                                   cudaDataType, std::size_t* on_device,
                                                   std::size_t* on_host, std::int64_t) {
  if (emulated::fails("XsyevBatched_bufferSize")) return refusal();
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
  handle->enqueue(device_work, [=] {
    for (std::int64_t s = 0; s < batch; ++s) {
      info[s] = eigenpairs(fill, n, static_cast<double*>(a) + s * lda * n, lda,
                           static_cast<double*>(w) + s * n);
      if (emulated::fails("XsyevBatched")) info[s] = 1;
    }
  });
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
  emulated::drain(handle->stream);  // the figure below is the host's
  *info = svd(m, n, static_cast<double*>(a), lda, static_cast<double*>(s), static_cast<double*>(u),
              ldu, static_cast<double*>(v), ldv);
  *error_of_sigma = emulated::fails("Xgesvdp_sigma") ? 1e30 : 0;
  if (emulated::fails("Xgesvdp")) *info = 1;
  return CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t cusolverDnCreateGesvdjInfo(gesvdjInfo_t* info) {
  *info = new EmulatedJacobi;
  return CUSOLVER_STATUS_SUCCESS;
}
cusolverStatus_t cusolverDnDestroyGesvdjInfo(gesvdjInfo_t info) {
  delete info;
  return CUSOLVER_STATUS_SUCCESS;
}
cusolverStatus_t cusolverDnDgesvdj_bufferSize(cusolverDnHandle_t, cusolverEigMode_t, int, int, int,
                                              const double*, int, const double*, const double*, int,
                                              const double*, int, int* elements, gesvdjInfo_t) {
  *elements = kOnDevice / sizeof(double);
  return CUSOLVER_STATUS_SUCCESS;
}
cusolverStatus_t cusolverDnDgesvdj(cusolverDnHandle_t handle, cusolverEigMode_t, int economy, int m,
                                   int n, double* a, int lda, double* s, double* u, int ldu,
                                   double* v, int ldv, double* work, int elements, int* info,
                                   gesvdjInfo_t) {
  emulated::require_device(work, kOnDevice);
  if (!handle->is_deterministic || economy != 1 || m < n || elements != kOnDevice / sizeof(double))
    return CUSOLVER_STATUS_INVALID_VALUE;
  handle->enqueue(work, [=] {
    *info = svd(m, n, a, lda, s, u, ldu, v, ldv);
    if (emulated::fails("Dgesvdj")) *info = n + 1;
  });
  return CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t cusolverDnDpotrfBatched(cusolverDnHandle_t handle, cublasFillMode_t fill, int n,
                                         double** matrices, int lda, int* info, int batch) {
  emulated::require_device(matrices, static_cast<std::size_t>(batch) * sizeof(double*));
  if (!handle->is_deterministic || emulated::fails("DpotrfBatched")) return refusal();
  emulated::enqueue(handle->stream, [=] {
    for (int s = 0; s < batch; ++s)
      info[s] = LAPACKE_dpotrf(LAPACK_COL_MAJOR, letter(fill), n, matrices[s], lda);
  });
  return CUSOLVER_STATUS_SUCCESS;
}
