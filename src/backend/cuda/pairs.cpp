#include "backend/cuda/pairs.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/figures.hpp"

namespace koine::cuda {
namespace {

constexpr std::int64_t kPanel = 2048;  // columns of A widened at a time

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

using backend::cuda::Gram;
using backend::cuda::PairsOf;
using backend::cuda::SomePairs;

Gram gram_of_pairs(PairsOf of) noexcept {
  return of == PairsOf::gram_float32 ? Gram::float32 : Gram::float64;
}

/// lane.right <- A^T u of `count` vectors, [long, count]; images, where not null, <- A A^T u.
// NOLINTNEXTLINE(readability-function-size): five plain values
void project(Lane& lane, std::int64_t slot, const double* u, std::int64_t count, double* images) {
  const std::int64_t m = lane.short_side(), n = lane.long_side();
  const kernels::Matrices tau = task_vector_of(lane, slot);
  const bool is_columns = tau.is_transposed();
  double* panel = lane.panel.reserve(m * std::min(kPanel, n));
  double* right = lane.right.reserve(n * count);
  for (std::int64_t first = 0; first < n; first += kPanel) {
    const std::int64_t width = std::min(kPanel, n - first);
    kernels::widen_panel(tau, first, width, panel, lane.queue());
    Matrix a{panel, is_columns ? m : width, 0, is_columns ? CUBLAS_OP_T : CUBLAS_OP_N};
    multiply(lane, {width, count, m}, a, {u, m}, {right + first, n});
    if (images == nullptr) continue;
    a.op = is_columns ? CUBLAS_OP_N : CUBLAS_OP_T;
    multiply(lane, {m, count, width, 1, first == 0 ? 0.0 : 1.0}, a, {right + first, n},
             {images, m});
  }
}

/// matrix <- c I - (G - sum over some pairs of theta u u^T), its lower triangle.
// NOLINTNEXTLINE(readability-function-size): what a certificate is made of
void deflate(Lane& lane, std::int64_t slot, const SomePairs& some, double c, double* matrix) {
  const std::int64_t m = lane.short_side(), kept = some.kept;
  const Pairs& pairs = lane.pairs_of(slot, some.of);
  double* scaled = lane.images.reserve(m * kept);
  kernels::subtract_from_identity(gram_of(lane, slot, gram_of_pairs(some.of)), m, c, matrix,
                                  lane.queue());
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

void judge_by_tau(Lane& lane, std::int64_t slot, std::int64_t count, double* values) {
  const std::int64_t n = lane.long_side();
  Pairs& pairs = lane.pairs_of(slot, PairsOf::gram_float32);
  project(lane, slot, pairs.u.data(), count, pairs.images.reserve(lane.short_side() * count));
  kernels::squares({lane.right.data(), n, n, count}, pairs.values.data(),
                   lane.partials.reserve(count * kernels::partial_sums(n)), lane.queue());
  lane.fetch(pairs.values.data(), count, values);
  pairs.largest = values[0];
}

Judgement judge(Lane& lane, std::int64_t slot, const SomePairs& some) {
  const std::int64_t m = lane.short_side(), kept = some.kept;
  const Pairs& pairs = lane.pairs_of(slot, some.of);
  const double *u = pairs.u.data(), *images = pairs.images.data();
  double* figures = lane.left.reserve(kept + kept * kept);
  double* inner = figures + kept;
  if (some.of != PairsOf::gram_float32) {
    double* products = lane.images.reserve(m * kept);
    multiply(lane, {m, kept, m}, {gram_of(lane, slot, Gram::float64), m}, {u, m}, {products, m});
    images = products;
  }
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

void are_definite(Lane& lane, const SomePairs& some, const double* c, std::int32_t* is_so) {
  const std::int64_t m = lane.short_side();
  double* all = lane.scratch.reserve(lane.slots * m * m);
  std::vector<std::int64_t> asked;
  std::vector<double*> matrices;
  for (std::int64_t slot = 0; slot < lane.slots; ++slot) {
    is_so[slot] = 0;
    if (!(c[slot] > 0)) continue;
    matrices.push_back(all + slot * m * m);
    asked.push_back(slot);
    deflate(lane, slot, some, c[slot], matrices.back());
  }
  if (asked.empty()) return;
  const auto batch = static_cast<std::int64_t>(asked.size());
  double** addresses = lane.matrices.reserve(lane.slots);
  int* info = lane.info.reserve(lane.slots);
  lane.send(matrices.data(), batch, addresses);
  if (!has_run(cusolverDnDpotrfBatched(lane.solver.get(), CUBLAS_FILL_MODE_LOWER,
                                       static_cast<int>(m), addresses, static_cast<int>(m), info,
                                       static_cast<int>(batch))))
    return;
  std::vector<int> found(asked.size());
  lane.fetch(info, batch, found.data());
  for (std::size_t i = 0; i < asked.size(); ++i) is_so[asked[i]] = found[i] == 0 ? 1 : 0;
}

// The rows of B one after the other are B^T = A^T U column-major.
void fetch_factors(Lane& lane, std::int64_t slot, const backend::cuda::Table::FactorsAsk& ask,
                   double* u, float* b) {
  const std::int64_t n = lane.long_side(), count = ask.pairs.kept;
  const double* vectors = lane.pairs_of(slot, ask.pairs.of).u.data();
  project(lane, slot, vectors, count, nullptr);
  float* rounded = lane.factors.reserve(n * ask.width);
  kernels::round_to_float(lane.right.data(), n * ask.width, rounded, lane.queue());
  lane.fetch(rounded, n * ask.width, b);
  lane.fetch(vectors, lane.short_side() * count, u);
}

}  // namespace koine::cuda
