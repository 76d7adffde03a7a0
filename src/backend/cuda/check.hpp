#pragma once

#include <source_location>
#include <string>

#include <cublas_v2.h>
#include <cusolverDn.h>

#include "core/error.hpp"
#include "kernels/check.cuh"

namespace koine::cuda {

[[noreturn]] inline void fail(const std::string& what, std::source_location at) {
  throw DeviceError(what + " (" + at.file_name() + ":" + std::to_string(at.line()) +
                    "); use --backend cpu, or see what nvidia-smi says of the device");
}

/// @throws DeviceError unless the call succeeded
inline void check(cublasStatus_t status,
                  std::source_location at = std::source_location::current()) {
  if (status != CUBLAS_STATUS_SUCCESS)
    fail(std::string("cuBLAS: ") + cublasGetStatusString(status), at);
}

/// @throws DeviceError unless the call succeeded
inline void check(cusolverStatus_t status,
                  std::source_location at = std::source_location::current()) {
  if (status != CUSOLVER_STATUS_SUCCESS)
    fail("cuSOLVER: status " + std::to_string(static_cast<int>(status)), at);
}

/// Whether a solver has run; false where this library cannot solve this problem, or has no room for
/// it, so that the next solver is tried.  @throws DeviceError where the device is at fault
inline bool has_run(cusolverStatus_t status,
                    std::source_location at = std::source_location::current()) {
  const bool is_refused =
      status == CUSOLVER_STATUS_NOT_SUPPORTED || status == CUSOLVER_STATUS_INVALID_VALUE ||
      status == CUSOLVER_STATUS_ALLOC_FAILED || status == CUSOLVER_STATUS_INTERNAL_ERROR;
  if (!is_refused) {
    check(status, at);
    return true;
  }
  (void)cudaGetLastError();  // clears what the call left: the next launch answers for itself
  return false;
}

}  // namespace koine::cuda
