#include <cstdlib>

#include <cblas.h>
#include <cublas_v2.h>

namespace {
CBLAS_TRANSPOSE as_blas(cublasOperation_t op) {
  return op == CUBLAS_OP_N ? CblasNoTrans : CblasTrans;
}
}  // namespace

struct EmulatedBlas {
  cudaStream_t stream = nullptr;
  void* workspace = nullptr;  ///< setting a stream takes it away, as in cuBLAS
  bool is_pedantic = false;
};

const char* cublasGetStatusString(cublasStatus_t status) {
  return status == CUBLAS_STATUS_SUCCESS ? "success" : "invalid value";
}
cublasStatus_t cublasCreate(cublasHandle_t* handle) {
  if (emulated::fails("cublasCreate")) return CUBLAS_STATUS_INVALID_VALUE;
  *handle = new EmulatedBlas;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasDestroy(cublasHandle_t handle) {
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
  handle->is_pedantic = mode == CUBLAS_PEDANTIC_MATH;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetPointerMode(cublasHandle_t /*handle*/, cublasPointerMode_t /*mode*/) {
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  handle->workspace = nullptr;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void* workspace, std::size_t bytes) {
  emulated::require_device(workspace, bytes);
  handle->workspace = workspace;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasGetProperty(libraryPropertyType /*type*/, int* value) {
  *value = 0;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDgemmStridedBatched(cublasHandle_t handle, cublasOperation_t op_a,
                                         cublasOperation_t op_b, int m, int n, int k,
                                         const double* alpha, const double* a, int lda,
                                         long long step_a, const double* b, int ldb,
                                         long long step_b, const double* beta, double* c, int ldc,
                                         long long step_c, int batch) {
  const bool is_set_up =
      handle->stream != nullptr && handle->workspace != nullptr && handle->is_pedantic;
  if (!is_set_up || m <= 0 || n <= 0 || k <= 0 || ldc < m) return CUBLAS_STATUS_INVALID_VALUE;
  const auto bytes = [](int lead, int columns) {
    return static_cast<std::size_t>(lead) * static_cast<std::size_t>(columns - 1) * sizeof(double);
  };
  for (int s = 0; s < batch; ++s) {
    emulated::require_device(a + s * step_a, bytes(lda, op_a == CUBLAS_OP_N ? k : m));
    emulated::require_device(b + s * step_b, bytes(ldb, op_b == CUBLAS_OP_N ? n : k));
    emulated::require_device(c + s * step_c, bytes(ldc, n));
  }
  emulated::enqueue(handle->stream, [=, alpha = *alpha, beta = *beta] {
    for (int s = 0; s < batch; ++s) {
      cblas_dgemm(CblasColMajor, as_blas(op_a), as_blas(op_b), m, n, k, alpha, a + s * step_a, lda,
                  b + s * step_b, ldb, beta, c + s * step_c, ldc);
    }
  });
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDsyrk(cublasHandle_t handle, cublasFillMode_t fill, cublasOperation_t op,
                           int n, int k, const double* alpha, const double* a, int lda,
                           const double* beta, double* c, int ldc) {
  emulated::enqueue(handle->stream, [=, alpha = *alpha, beta = *beta] {
    cblas_dsyrk(CblasColMajor, fill == CUBLAS_FILL_MODE_LOWER ? CblasLower : CblasUpper,
                as_blas(op), n, k, alpha, a, lda, beta, c, ldc);
  });
  return CUBLAS_STATUS_SUCCESS;
}
