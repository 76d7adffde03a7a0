#include "backend/cuda/lane.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <string>

#include "backend/cuda_table.hpp"

namespace koine::cuda {
namespace {

constexpr std::int64_t kBlasWorkspace = std::int64_t{32} << 20;  // what cuBLAS takes on Hopper
constexpr std::int64_t kPanel = 2048;  // columns of A widened at a time; shapes the bits of G

int as_int(std::int64_t n) {
  if (n > std::numeric_limits<int>::max())
    throw DeviceError("a matrix with a side of " + std::to_string(n) +
                      " is too large for cuBLAS; use --backend cpu");
  return static_cast<int>(n);
}

cublasMath_t float64_mode() {
  return multiplies_pedantically() ? CUBLAS_PEDANTIC_MATH : CUBLAS_DEFAULT_MATH;
}

BlasHandle make_blas(cudaStream_t stream, Buffer<std::byte>& workspace) {
  cublasHandle_t raw = nullptr;
  check(cublasCreate(&raw));
  BlasHandle handle(raw);
  check(cublasSetMathMode(raw, float64_mode()));
  check(cublasSetPointerMode(raw, CUBLAS_POINTER_MODE_HOST));
  check(cublasSetStream(raw, stream));  // takes the workspace back to the default one
  check(cublasSetWorkspace(raw, workspace.reserve(kBlasWorkspace), kBlasWorkspace));
  return handle;
}

SolverHandle make_solver(cudaStream_t stream) {
  cusolverDnHandle_t raw = nullptr;
  check(cusolverDnCreate(&raw));
  SolverHandle handle(raw);
  check(cusolverDnSetDeterministicMode(raw, CUSOLVER_DETERMINISTIC_RESULTS));
  check(cusolverDnSetStream(raw, stream));
  return handle;
}

SolverParams make_params() {
  cusolverDnParams_t raw = nullptr;
  check(cusolverDnCreateParams(&raw));
  return SolverParams(raw);
}

/// A lane that waits lets others have its core: there may be as many lanes as cores, and each has a
/// reader and a writer beside it.
int chosen(int device) {
  check(cudaSetDevice(device));
  check(cudaSetDeviceFlags(cudaDeviceScheduleYield));
  return device;
}

}  // namespace

bool multiplies_pedantically() {
  const char* emulate = std::getenv("CUBLAS_EMULATE_DOUBLE_PRECISION");
  return emulate != nullptr && *emulate != '\0' && *emulate != '0';
}

Lane::Lane(int device_index, int slot_count)
    : device(chosen(device_index)),
      slots(slot_count),
      stream(make_stream()),
      blas(make_blas(stream.get(), blas_workspace)),
      solver(make_solver(stream.get())),
      params(make_params()),
      intake(backend::cuda::kIntakeBuffers),
      outlet(backend::cuda::kOutletBuffers) {
  for (auto& of_slots : pairs) of_slots.resize(static_cast<std::size_t>(slot_count));
  for (auto& of_slots : spaces) of_slots.resize(static_cast<std::size_t>(slot_count));
}

void Lane::use() const {
  check(cudaSetDevice(device));
}

void multiply(Lane& lane, const Multiplication& how, const Matrix& a, const Matrix& b,
              const Target& c) {
  check(cublasDgemmStridedBatched(lane.blas.get(), a.op, b.op, as_int(how.rows), as_int(how.cols),
                                  as_int(how.depth), &how.alpha, a.data, as_int(a.lead), a.step,
                                  b.data, as_int(b.lead), b.step, &how.beta, c.data, as_int(c.lead),
                                  c.step, as_int(how.slots)));
}

namespace {

// In memory a panel is [short, width] column-major where A is tau^T, else [width, short]: the
// products A A^T are P P^T and P^T P.
void sum_in_float64(Lane& lane, double* gram) {
  const kernels::Matrices tau = lane.task_vectors();
  const std::int64_t m = lane.short_side(), n = lane.long_side();
  double* panel = lane.panel.reserve(lane.slots * m * std::min(kPanel, n));
  for (std::int64_t first = 0; first < n; first += kPanel) {
    const std::int64_t width = std::min(kPanel, n - first);
    kernels::widen_panel(tau, first, width, panel, lane.queue());
    const std::int64_t lead = tau.is_transposed() ? m : width;
    const auto left = tau.is_transposed() ? CUBLAS_OP_N : CUBLAS_OP_T;
    const auto right = tau.is_transposed() ? CUBLAS_OP_T : CUBLAS_OP_N;
    multiply(lane, {m, m, width, 1, first == 0 ? 0.0 : 1.0, lane.slots},
             {panel, lead, m * width, left}, {panel, lead, m * width, right}, {gram, m, m * m});
  }
}

/// The same of tau as it lies there; a product has as many terms as float32 may sum.
void sum_in_float32(Lane& lane, double* gram) {
  const kernels::Matrices tau = lane.task_vectors();
  const std::int64_t m = lane.short_side(), n = lane.long_side();
  const bool is_columns = tau.is_transposed();  // of A, one after the other
  const std::int64_t lead = is_columns ? m : n, apart = is_columns ? m : 1;
  const auto left = is_columns ? CUBLAS_OP_N : CUBLAS_OP_T;
  const auto right = is_columns ? CUBLAS_OP_T : CUBLAS_OP_N;
  const float one = 1, zero = 0;
  float* chain = lane.chain.reserve(lane.slots * m * m);
  check(cublasSetMathMode(lane.blas.get(), CUBLAS_PEDANTIC_MATH));  // float32, nothing shorter
  for (std::int64_t first = 0; first < n; first += backend::cuda::kFloat32Chain) {
    const std::int64_t terms = std::min(backend::cuda::kFloat32Chain, n - first);
    const float* a = tau.tau + first * apart;
    check(cublasSgemmStridedBatched(lane.blas.get(), left, right, as_int(m), as_int(m),
                                    as_int(terms), &one, a, as_int(lead), tau.step, a, as_int(lead),
                                    tau.step, &zero, chain, as_int(m), m * m, lane.slots));
    kernels::add_symmetric({chain, m, lane.slots}, first == 0, gram, lane.queue());
  }
  check(cublasSetMathMode(lane.blas.get(), float64_mode()));
}

}  // namespace

void make_gram(Lane& lane, backend::cuda::Gram kind) {
  if (lane.gram_is == kind) return;
  const std::int64_t m = lane.short_side();
  double* gram = lane.gram.reserve(lane.slots * m * m);
  (kind == backend::cuda::Gram::float32 ? sum_in_float32 : sum_in_float64)(lane, gram);
  lane.gram_is = kind;
}

const double* gram_of(Lane& lane, std::int64_t slot, backend::cuda::Gram kind) {
  make_gram(lane, kind);
  return lane.gram.data() + slot * lane.short_side() * lane.short_side();
}

kernels::Matrices task_vector_of(const Lane& lane, std::int64_t slot) {
  kernels::Matrices one = lane.task_vectors();
  one.tau += slot * one.step;
  one.slots = 1;
  return one;
}

int fetch_info(const Lane& lane) {
  int info = 0;
  lane.fetch(lane.info.data(), 1, &info);
  return info;
}

}  // namespace koine::cuda
