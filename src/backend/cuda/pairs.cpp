#include "backend/cuda/pairs.hpp"

#include <algorithm>
#include <cmath>

namespace koine::cuda {
namespace {

// Of sigma_1: gesvdp adds so much to singular values of a matrix that is nearly rank-deficient.
constexpr double kMostPerturbed = 1e-7;
constexpr std::int64_t kPanel = 2048;  // columns of A widened at a time

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

const double* gram_of(Lane& lane, std::int64_t slot) {
  make_gram(lane);
  return lane.gram.data() + slot * lane.short_side() * lane.short_side();
}

kernels::Matrices task_vector_of(const Lane& lane, std::int64_t slot) {
  kernels::Matrices one = lane.task_vectors();
  one.tau += slot * one.step;
  one.slots = 1;
  return one;
}

int fetch_info(Lane& lane) {
  int info = 0;
  lane.fetch(lane.info.data(), 1, &info);
  return info;
}

/// The slot's vectors are columns of `short` entries: `count` of them, from `first` on, one column
/// further or back (`direction`) each time.
// NOLINTNEXTLINE(readability-function-size): six plain values
void keep_pairs(Lane& lane, std::int64_t slot, const double* first, std::int64_t direction,
                std::int64_t count, const double* values) {
  const std::int64_t m = lane.short_side();
  Pairs& pairs = lane.pairs[as_size(slot)];
  double* u = pairs.u.reserve(m * count);
  for (std::int64_t i = 0; i < count; ++i) {
    check(cudaMemcpyAsync(u + i * m, first + i * direction * m, as_size(m) * sizeof(double),
                          cudaMemcpyDeviceToDevice, lane.stream.get()));
  }
  lane.send(values, count, pairs.values.reserve(count));
  pairs.count = count;
  pairs.largest = values[0];
}

/// Workspaces of a cuSOLVER call, on the device and here.
struct Workspaces {
  std::byte *on_device, *on_host;
};
Workspaces reserve(Lane& lane, std::size_t on_device, std::size_t on_host) {
  lane.host_workspace.resize(on_host);
  return {lane.solver_workspace.reserve(static_cast<std::int64_t>(on_device)),
          lane.host_workspace.data()};
}

bool syevd(Lane& lane, std::int64_t slot, std::int64_t count, double* values) {
  const std::int64_t m = lane.short_side();
  double* matrix = lane.scratch.reserve(m * m);
  double* all = lane.ritz_values.reserve(m);
  check(cudaMemcpyAsync(matrix, gram_of(lane, slot), as_size(m * m) * sizeof(double),
                        cudaMemcpyDeviceToDevice, lane.stream.get()));
  std::size_t on_device = 0, on_host = 0;
  if (!has_run(cusolverDnXsyevd_bufferSize(
          lane.solver.get(), lane.params.get(), CUSOLVER_EIG_MODE_VECTOR, CUBLAS_FILL_MODE_LOWER, m,
          CUDA_R_64F, matrix, m, CUDA_R_64F, all, CUDA_R_64F, &on_device, &on_host)))
    return false;
  const Workspaces work = reserve(lane, on_device, on_host);
  if (!has_run(cusolverDnXsyevd(lane.solver.get(), lane.params.get(), CUSOLVER_EIG_MODE_VECTOR,
                                CUBLAS_FILL_MODE_LOWER, m, CUDA_R_64F, matrix, m, CUDA_R_64F, all,
                                CUDA_R_64F, work.on_device, on_device, work.on_host, on_host,
                                lane.info.reserve(lane.slots))) ||
      fetch_info(lane) != 0)
    return false;
  lane.fetch(all + m - count, count, values);
  std::reverse(values, values + count);
  keep_pairs(lane, slot, matrix + (m - 1) * m, -1, count, values);
  return true;
}

/// A^T = W S V^T, [long, short]: the columns of V are the left vectors of A.
bool gesvdp(Lane& lane, std::int64_t slot, std::int64_t count, double* values) {
  const std::int64_t m = lane.short_side(), n = lane.long_side();
  Buffer<double> memory;  // the last solver before the host: rarely needed, and large
  if (memory.try_reserve(2 * m * n) != cudaSuccess) return false;
  double* all = memory.data();
  double *left = all + m * n, *right = lane.scratch.reserve(m * m);
  double* sigma = lane.ritz_values.reserve(m);
  kernels::widen_transposed(task_vector_of(lane, slot), all, lane.queue());
  std::size_t on_device = 0, on_host = 0;
  if (!has_run(cusolverDnXgesvdp_bufferSize(lane.solver.get(), lane.params.get(),
                                            CUSOLVER_EIG_MODE_VECTOR, 1, n, m, CUDA_R_64F, all, n,
                                            CUDA_R_64F, sigma, CUDA_R_64F, left, n, CUDA_R_64F,
                                            right, m, CUDA_R_64F, &on_device, &on_host)) ||
      lane.solver_workspace.try_reserve(static_cast<std::int64_t>(on_device)) != cudaSuccess)
    return false;
  const Workspaces work = reserve(lane, on_device, on_host);
  double perturbation = 0;
  if (!has_run(cusolverDnXgesvdp(lane.solver.get(), lane.params.get(), CUSOLVER_EIG_MODE_VECTOR, 1,
                                 n, m, CUDA_R_64F, all, n, CUDA_R_64F, sigma, CUDA_R_64F, left, n,
                                 CUDA_R_64F, right, m, CUDA_R_64F, work.on_device, on_device,
                                 work.on_host, on_host, lane.info.reserve(lane.slots),
                                 &perturbation)) ||
      fetch_info(lane) != 0)
    return false;
  lane.fetch(sigma, count, values);
  if (!(perturbation <= kMostPerturbed * values[0])) return false;
  for (std::int64_t i = 0; i < count; ++i) values[i] *= values[i];
  keep_pairs(lane, slot, right, 1, count, values);
  return true;
}

double largest_defect(const std::vector<double>& inner, std::int64_t kept) {
  double worst = 0;
  for (std::int64_t j = 0; j < kept; ++j) {
    for (std::int64_t i = 0; i < kept; ++i) {
      const double defect = std::fabs(inner[as_size(j * kept + i)] - (i == j ? 1.0 : 0.0));
      if (std::isnan(defect)) return defect;
      worst = std::max(worst, defect);
    }
  }
  return worst;
}

}  // namespace

bool dense_pairs(Lane& lane, std::int64_t slot, backend::cuda::DenseSolver solver,
                 std::int64_t count, double* values) {
  return solver == backend::cuda::DenseSolver::syevd ? syevd(lane, slot, count, values)
                                                     : gesvdp(lane, slot, count, values);
}

Judgement judge(Lane& lane, std::int64_t slot, std::int64_t kept) {
  const std::int64_t m = lane.short_side();
  const Pairs& pairs = lane.pairs[as_size(slot)];
  const double* u = pairs.u.data();
  double* images = lane.images.reserve(m * kept);
  double* figures = lane.left.reserve(kept + kept * kept);
  double* inner = figures + kept;
  multiply(lane, {m, kept, m}, {gram_of(lane, slot), m}, {u, m}, {images, m});
  kernels::distances({u, pairs.values.data(), m, kept}, images, figures, lane.queue());
  multiply(lane, {kept, kept, m}, {u, m, 0, CUBLAS_OP_T}, {u, m}, {inner, kept});
  std::vector<double> residuals(as_size(kept)), products(as_size(kept * kept));
  lane.fetch(figures, kept, residuals.data());
  lane.fetch(inner, kept * kept, products.data());
  Judgement judgement;
  for (const double residual : residuals) {
    const double relative = residual / pairs.largest;
    if (!(relative <= judgement.residual)) judgement.residual = relative;
  }
  judgement.defect = largest_defect(products, kept);
  return judgement;
}

bool is_definite(Lane& lane, std::int64_t slot, std::int64_t kept, double c) {
  const std::int64_t m = lane.short_side();
  const Pairs& pairs = lane.pairs[as_size(slot)];
  double* matrix = lane.scratch.reserve(m * m);
  double* scaled = lane.images.reserve(m * kept);
  kernels::subtract_from_identity(gram_of(lane, slot), m, c, matrix, lane.queue());
  kernels::scale_by_roots({pairs.u.data(), pairs.values.data(), m, kept}, scaled, lane.queue());
  const int order = static_cast<int>(m);
  const double one = 1;
  check(cublasDsyrk(lane.blas.get(), CUBLAS_FILL_MODE_LOWER, CUBLAS_OP_N, order,
                    static_cast<int>(kept), &one, scaled, order, &one, matrix, order));
  std::size_t on_device = 0, on_host = 0;
  if (!has_run(cusolverDnXpotrf_bufferSize(lane.solver.get(), lane.params.get(),
                                           CUBLAS_FILL_MODE_LOWER, m, CUDA_R_64F, matrix, m,
                                           CUDA_R_64F, &on_device, &on_host)))
    return false;
  const Workspaces work = reserve(lane, on_device, on_host);
  return has_run(cusolverDnXpotrf(lane.solver.get(), lane.params.get(), CUBLAS_FILL_MODE_LOWER, m,
                                  CUDA_R_64F, matrix, m, CUDA_R_64F, work.on_device, on_device,
                                  work.on_host, on_host, lane.info.reserve(lane.slots))) &&
         fetch_info(lane) == 0;
}

// The rows of B one after the other are B^T = A^T U column-major.
void fetch_factors(Lane& lane, std::int64_t slot, const backend::cuda::Table::FactorsAsk& ask,
                   double* u, float* b) {
  const std::int64_t m = lane.short_side(), n = lane.long_side();
  const kernels::Matrices tau = task_vector_of(lane, slot);
  const double* vectors = lane.pairs[as_size(slot)].u.data();
  double* panel = lane.panel.reserve(m * std::min(kPanel, n));
  double* right = lane.right.reserve(n * ask.count);
  for (std::int64_t first = 0; first < n; first += kPanel) {
    const std::int64_t width = std::min(kPanel, n - first);
    kernels::widen_panel(tau, first, width, panel, lane.queue());
    const Matrix a = tau.is_transposed() ? Matrix{panel, m, 0, CUBLAS_OP_T} : Matrix{panel, width};
    multiply(lane, {width, ask.count, m}, a, {vectors, m}, {right + first, n});
  }
  float* rounded = lane.factors.reserve(n * ask.width);
  kernels::round_to_float(right, n * ask.width, rounded, lane.queue());
  lane.fetch(rounded, n * ask.width, b);
  lane.fetch(vectors, m * ask.count, u);
}

}  // namespace koine::cuda
