#pragma once

// The part of cuSOLVER that Koine uses, by LAPACK (README.md).

#include <cublas_v2.h>

enum cusolverStatus_t {
  CUSOLVER_STATUS_SUCCESS = 0,
  CUSOLVER_STATUS_ALLOC_FAILED = 2,
  CUSOLVER_STATUS_INVALID_VALUE = 3,
  CUSOLVER_STATUS_INTERNAL_ERROR = 7,
  CUSOLVER_STATUS_NOT_SUPPORTED = 9
};
enum cusolverEigMode_t { CUSOLVER_EIG_MODE_VECTOR = 1 };
enum cusolverDeterministicMode_t { CUSOLVER_DETERMINISTIC_RESULTS = 1 };
enum cudaDataType { CUDA_R_64F = 1 };
using cusolverDnHandle_t = struct EmulatedSolver*;
using cusolverDnParams_t = struct EmulatedParams*;
using gesvdjInfo_t = struct EmulatedJacobi*;

cusolverStatus_t cusolverDnCreate(cusolverDnHandle_t* handle);
cusolverStatus_t cusolverDnDestroy(cusolverDnHandle_t handle);
cusolverStatus_t cusolverDnCreateParams(cusolverDnParams_t* params);
cusolverStatus_t cusolverDnDestroyParams(cusolverDnParams_t params);
cusolverStatus_t cusolverDnSetStream(cusolverDnHandle_t handle, cudaStream_t stream);
cusolverStatus_t cusolverDnSetDeterministicMode(cusolverDnHandle_t handle,
                                                cusolverDeterministicMode_t mode);
cusolverStatus_t cusolverGetProperty(libraryPropertyType type, int* value);

cusolverStatus_t cusolverDnXsyevd_bufferSize(cusolverDnHandle_t, cusolverDnParams_t,
                                             cusolverEigMode_t, cublasFillMode_t, std::int64_t n,
                                             cudaDataType, const void* a, std::int64_t lda,
                                             cudaDataType, const void* w, cudaDataType,
                                             std::size_t* on_device, std::size_t* on_host);
cusolverStatus_t cusolverDnXsyevd(cusolverDnHandle_t, cusolverDnParams_t, cusolverEigMode_t,
                                  cublasFillMode_t fill, std::int64_t n, cudaDataType, void* a,
                                  std::int64_t lda, cudaDataType, void* w, cudaDataType,
                                  void* device_work, std::size_t on_device, void* host_work,
                                  std::size_t on_host, int* info);
cusolverStatus_t cusolverDnXsyevBatched_bufferSize(cusolverDnHandle_t, cusolverDnParams_t,
                                                   cusolverEigMode_t, cublasFillMode_t,
                                                   std::int64_t n, cudaDataType, const void* a,
                                                   std::int64_t lda, cudaDataType, const void* w,
                                                   cudaDataType, std::size_t* on_device,
                                                   std::size_t* on_host, std::int64_t batch);
cusolverStatus_t cusolverDnXsyevBatched(cusolverDnHandle_t, cusolverDnParams_t, cusolverEigMode_t,
                                        cublasFillMode_t fill, std::int64_t n, cudaDataType,
                                        void* a, std::int64_t lda, cudaDataType, void* w,
                                        cudaDataType, void* device_work, std::size_t on_device,
                                        void* host_work, std::size_t on_host, int* info,
                                        std::int64_t batch);
cusolverStatus_t cusolverDnXgesvdp_bufferSize(
    cusolverDnHandle_t, cusolverDnParams_t, cusolverEigMode_t, int economy, std::int64_t m,
    std::int64_t n, cudaDataType, const void* a, std::int64_t lda, cudaDataType, const void* s,
    cudaDataType, const void* u, std::int64_t ldu, cudaDataType, const void* v, std::int64_t ldv,
    cudaDataType, std::size_t* on_device, std::size_t* on_host);
cusolverStatus_t cusolverDnXgesvdp(cusolverDnHandle_t, cusolverDnParams_t, cusolverEigMode_t,
                                   int economy, std::int64_t m, std::int64_t n, cudaDataType,
                                   void* a, std::int64_t lda, cudaDataType, void* s, cudaDataType,
                                   void* u, std::int64_t ldu, cudaDataType, void* v,
                                   std::int64_t ldv, cudaDataType, void* device_work,
                                   std::size_t on_device, void* host_work, std::size_t on_host,
                                   int* info, double* error_of_sigma);
cusolverStatus_t cusolverDnCreateGesvdjInfo(gesvdjInfo_t* info);
cusolverStatus_t cusolverDnDestroyGesvdjInfo(gesvdjInfo_t info);
cusolverStatus_t cusolverDnDgesvdj_bufferSize(cusolverDnHandle_t, cusolverEigMode_t, int economy,
                                              int m, int n, const double* a, int lda,
                                              const double* s, const double* u, int ldu,
                                              const double* v, int ldv, int* elements,
                                              gesvdjInfo_t);
cusolverStatus_t cusolverDnDgesvdj(cusolverDnHandle_t, cusolverEigMode_t, int economy, int m, int n,
                                   double* a, int lda, double* s, double* u, int ldu, double* v,
                                   int ldv, double* work, int elements, int* info, gesvdjInfo_t);
cusolverStatus_t cusolverDnDpotrfBatched(cusolverDnHandle_t, cublasFillMode_t fill, int n,
                                         double** matrices, int lda, int* info, int batch);
