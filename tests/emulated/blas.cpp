#include <cstdlib>
#include <type_traits>

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

namespace {

void gemm(CBLAS_TRANSPOSE op_a, CBLAS_TRANSPOSE op_b, int m, int n, int k, double alpha,
          const double* a, int lda, const double* b, int ldb, double beta, double* c, int ldc) {
  cblas_dgemm(CblasColMajor, op_a, op_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
void gemm(CBLAS_TRANSPOSE op_a, CBLAS_TRANSPOSE op_b, int m, int n, int k, float alpha,
          const float* a, int lda, const float* b, int ldb, float beta, float* c, int ldc) {
  cblas_sgemm(CblasColMajor, op_a, op_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

template <typename T>
cublasStatus_t gemm_batched(cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b,
                            int m, int n, int k, const T* alpha, const T* a, int lda,
                            long long step_a, const T* b, int ldb, long long step_b, const T* beta,
                            T* c, int ldc, long long step_c, int batch) {
  const bool is_exact = std::is_same_v<T, double> || handle->is_pedantic;
  const bool is_set_up = handle->stream != nullptr && handle->workspace != nullptr && is_exact;
  if (!is_set_up || m <= 0 || n <= 0 || k <= 0 || ldc < m) return CUBLAS_STATUS_INVALID_VALUE;
  const auto bytes = [](int lead, int columns, int rows) {
    return (static_cast<std::size_t>(lead) * static_cast<std::size_t>(columns - 1) +
            static_cast<std::size_t>(rows)) *
           sizeof(T);
  };
  const bool a_as_it_is = op_a == CUBLAS_OP_N, b_as_it_is = op_b == CUBLAS_OP_N;
  for (int s = 0; s < batch; ++s) {
    emulated::require_device(a + s * step_a, bytes(lda, a_as_it_is ? k : m, a_as_it_is ? m : k));
    emulated::require_device(b + s * step_b, bytes(ldb, b_as_it_is ? n : k, b_as_it_is ? k : n));
    emulated::require_device(c + s * step_c, bytes(ldc, n, m));
  }
  emulated::enqueue(handle->stream, [=, alpha = *alpha, beta = *beta] {
    for (int s = 0; s < batch; ++s) {
      gemm(as_blas(op_a), as_blas(op_b), m, n, k, alpha, a + s * step_a, lda, b + s * step_b, ldb,
           beta, c + s * step_c, ldc);
    }
  });
  return CUBLAS_STATUS_SUCCESS;
}

}  // namespace

cublasStatus_t cublasDgemmStridedBatched(cublasHandle_t handle, cublasOperation_t op_a,
                                         cublasOperation_t op_b, int m, int n, int k,
                                         const double* alpha, const double* a, int lda,
                                         long long step_a, const double* b, int ldb,
                                         long long step_b, const double* beta, double* c, int ldc,
                                         long long step_c, int batch) {
  return gemm_batched(handle, op_a, op_b, m, n, k, alpha, a, lda, step_a, b, ldb, step_b, beta, c,
                      ldc, step_c, batch);
}

cublasStatus_t cublasSgemmStridedBatched(cublasHandle_t handle, cublasOperation_t op_a,
                                         cublasOperation_t op_b, int m, int n, int k,
                                         const float* alpha, const float* a, int lda,
                                         long long step_a, const float* b, int ldb,
                                         long long step_b, const float* beta, float* c, int ldc,
                                         long long step_c, int batch) {
  return gemm_batched(handle, op_a, op_b, m, n, k, alpha, a, lda, step_a, b, ldb, step_b, beta, c,
                      ldc, step_c, batch);
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
