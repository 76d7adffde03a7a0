#include <algorithm>
#include <optional>

#include "backend/cuda/pairs.hpp"

namespace koine::cuda {
namespace {

// Of sigma_1: gesvdp adds so much to singular values of a matrix that is nearly rank-deficient.
constexpr double kMostPerturbed = 1e-7;

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

/// The slot's vectors are columns of `short` entries: `count` of them, from `first` on, one column
/// further or back (`direction`) each time.
// NOLINTNEXTLINE(readability-function-size): six plain values
void keep_pairs(Lane& lane, std::int64_t slot, const double* first, std::int64_t direction,
                std::int64_t count, const double* values) {
  const std::int64_t m = lane.short_side();
  Pairs& pairs = lane.pairs_of(slot, backend::cuda::PairsOf::dense);
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
  check(cudaMemcpyAsync(matrix, gram_of(lane, slot, backend::cuda::Gram::float64),
                        as_size(m * m) * sizeof(double), cudaMemcpyDeviceToDevice,
                        lane.stream.get()));
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

/// Room for the SVD of A^T = W S V^T, [long, short]: the columns of V are the left vectors of A.
struct SvdArrays {
  double *all, *left, *right, *sigma;
};

/// A^T and its room; nothing where there is none: the last solvers before the host are rarely
/// needed, and large.
std::optional<SvdArrays> svd_arrays(Lane& lane, std::int64_t slot, Buffer<double>& memory) {
  const std::int64_t m = lane.short_side(), n = lane.long_side();
  if (memory.try_reserve(2 * m * n) != cudaSuccess) return std::nullopt;
  kernels::widen_transposed(task_vector_of(lane, slot), memory.data(), lane.queue());
  return SvdArrays{memory.data(), memory.data() + m * n, lane.scratch.reserve(m * m),
                   lane.ritz_values.reserve(m)};
}

/// The slot's pairs from its singular values and V.
void keep_singular(Lane& lane, std::int64_t slot, const SvdArrays& svd, std::int64_t count,
                   double* values) {
  for (std::int64_t i = 0; i < count; ++i) values[i] *= values[i];
  keep_pairs(lane, slot, svd.right, 1, count, values);
}

bool gesvdp(Lane& lane, std::int64_t slot, std::int64_t count, double* values) {
  const std::int64_t m = lane.short_side(), n = lane.long_side();
  Buffer<double> memory;
  const auto svd = svd_arrays(lane, slot, memory);
  std::size_t on_device = 0, on_host = 0;
  if (!svd ||
      !has_run(cusolverDnXgesvdp_bufferSize(
          lane.solver.get(), lane.params.get(), CUSOLVER_EIG_MODE_VECTOR, 1, n, m, CUDA_R_64F,
          svd->all, n, CUDA_R_64F, svd->sigma, CUDA_R_64F, svd->left, n, CUDA_R_64F, svd->right, m,
          CUDA_R_64F, &on_device, &on_host)) ||
      lane.solver_workspace.try_reserve(static_cast<std::int64_t>(on_device)) != cudaSuccess)
    return false;
  const Workspaces work = reserve(lane, on_device, on_host);
  double perturbation = 0;
  if (!has_run(cusolverDnXgesvdp(lane.solver.get(), lane.params.get(), CUSOLVER_EIG_MODE_VECTOR, 1,
                                 n, m, CUDA_R_64F, svd->all, n, CUDA_R_64F, svd->sigma, CUDA_R_64F,
                                 svd->left, n, CUDA_R_64F, svd->right, m, CUDA_R_64F,
                                 work.on_device, on_device, work.on_host, on_host,
                                 lane.info.reserve(lane.slots), &perturbation)) ||
      fetch_info(lane) != 0)
    return false;
  lane.fetch(svd->sigma, count, values);
  if (!(perturbation <= kMostPerturbed * values[0])) return false;
  keep_singular(lane, slot, *svd, count, values);
  return true;
}

JacobiInfo make_jacobi() {
  gesvdjInfo_t raw = nullptr;
  check(cusolverDnCreateGesvdjInfo(&raw));
  return JacobiInfo(raw);
}

bool gesvdj(Lane& lane, std::int64_t slot, std::int64_t count, double* values) {
  const int m = static_cast<int>(lane.short_side()), n = static_cast<int>(lane.long_side());
  Buffer<double> memory;
  const auto svd = svd_arrays(lane, slot, memory);
  const JacobiInfo how = make_jacobi();  // to the last bit, in a hundred sweeps at most
  int elements = 0;
  if (!svd || !has_run(cusolverDnDgesvdj_bufferSize(lane.solver.get(), CUSOLVER_EIG_MODE_VECTOR, 1,
                                                    n, m, svd->all, n, svd->sigma, svd->left, n,
                                                    svd->right, m, &elements, how.get())))
    return false;
  Buffer<double> work;
  if (work.try_reserve(elements) != cudaSuccess ||
      !has_run(cusolverDnDgesvdj(lane.solver.get(), CUSOLVER_EIG_MODE_VECTOR, 1, n, m, svd->all, n,
                                 svd->sigma, svd->left, n, svd->right, m, work.data(), elements,
                                 lane.info.reserve(lane.slots), how.get())) ||
      fetch_info(lane) != 0)
    return false;
  lane.fetch(svd->sigma, count, values);
  keep_singular(lane, slot, *svd, count, values);
  return true;
}

}  // namespace

bool dense_pairs(Lane& lane, std::int64_t slot, backend::cuda::DenseSolver solver,
                 std::int64_t count, double* values) {
  using backend::cuda::DenseSolver;
  if (solver == DenseSolver::syevd) return syevd(lane, slot, count, values);
  return solver == DenseSolver::gesvdp ? gesvdp(lane, slot, count, values)
                                       : gesvdj(lane, slot, count, values);
}

}  // namespace koine::cuda
