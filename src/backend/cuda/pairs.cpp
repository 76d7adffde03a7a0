#include "backend/cuda/pairs.hpp"

#include <algorithm>
#include <cmath>

namespace koine::cuda {
namespace {

constexpr std::int64_t kPanel = 2048;  // columns of A widened at a time

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

/// matrix <- c I - (G - sum over the first `kept` pairs of theta u u^T), its lower triangle.
// NOLINTNEXTLINE(readability-function-size): what a certificate is made of
void deflate(Lane& lane, std::int64_t slot, std::int64_t kept, double c, double* matrix) {
  const std::int64_t m = lane.short_side();
  const Pairs& pairs = lane.pairs[as_size(slot)];
  double* scaled = lane.images.reserve(m * kept);
  kernels::subtract_from_identity(gram_of(lane, slot), m, c, matrix, lane.queue());
  kernels::scale_by_roots({pairs.u.data(), pairs.values.data(), m, kept}, scaled, lane.queue());
  const int order = static_cast<int>(m);
  const double one = 1;
  check(cublasDsyrk(lane.blas.get(), CUBLAS_FILL_MODE_LOWER, CUBLAS_OP_N, order,
                    static_cast<int>(kept), &one, scaled, order, &one, matrix, order));
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

void are_definite(Lane& lane, std::int64_t kept, const double* c, std::int32_t* is_so) {
  const std::int64_t m = lane.short_side();
  double* all = lane.scratch.reserve(lane.slots * m * m);
  std::vector<std::int64_t> asked;
  std::vector<double*> matrices;
  for (std::int64_t slot = 0; slot < lane.slots; ++slot) {
    is_so[slot] = 0;
    if (!(c[slot] > 0)) continue;
    matrices.push_back(all + slot * m * m);
    asked.push_back(slot);
    deflate(lane, slot, kept, c[slot], matrices.back());
  }
  const auto batch = static_cast<std::int64_t>(asked.size());
  double** addresses = lane.matrices.reserve(lane.slots);
  int* info = lane.info.reserve(lane.slots);
  lane.send(matrices.data(), batch, addresses);
  if (batch == 0 || !has_run(cusolverDnDpotrfBatched(
                        lane.solver.get(), CUBLAS_FILL_MODE_LOWER, static_cast<int>(m), addresses,
                        static_cast<int>(m), info, static_cast<int>(batch))))
    return;
  std::vector<int> found(asked.size());
  lane.fetch(info, batch, found.data());
  for (std::size_t i = 0; i < asked.size(); ++i) is_so[asked[i]] = found[i] == 0 ? 1 : 0;
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
