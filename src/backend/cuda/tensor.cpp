#include "backend/cuda/tensor.hpp"

#include "kernels/figures.hpp"
#include "kernels/product.hpp"
#include "kernels/select.hpp"

namespace koine::cuda {
namespace {

constexpr std::uint32_t kInfinity = 0x7F800000U;

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

/// |x|^2, and whether all of x is finite.
backend::cuda::TaskVectorFacts facts_of(Lane& lane, const float* x) {
  double* sum = lane.figures.reserve(2);
  auto* largest = reinterpret_cast<std::uint32_t*>(sum + 1);
  double* partials = lane.partials.reserve(kernels::partial_sums(lane.count()));
  kernels::squares(x, lane.count(), {sum, largest, partials}, lane.queue());
  std::uint32_t key = 0;
  backend::cuda::TaskVectorFacts facts{};
  lane.fetch(largest, 1, &key);
  lane.fetch(sum, 1, &facts.squared);
  facts.is_finite = key < kInfinity ? 1 : 0;
  return facts;
}

float* task_vector_of(const Lane& lane, std::int64_t slot) {
  return lane.tau.data() + slot * lane.count();
}

template <typename T>
void clear(const Lane& lane, T* data, std::int64_t count) {
  check(cudaMemsetAsync(data, 0, as_size(count) * sizeof(T), lane.stream.get()));
}

}  // namespace

bool start(Lane& lane, const backend::cuda::TensorStart& tensor) {
  lane.rows = tensor.rows;
  lane.cols = tensor.cols;
  lane.base_dtype = static_cast<DType>(tensor.base.dtype);
  lane.has_gram = false;
  const std::int64_t count = lane.count(), bytes = count * size_of(lane.base_dtype);
  std::byte* base = lane.base_raw.reserve(bytes);
  if (tensor.base.data == nullptr) {
    clear(lane, base, bytes);
  } else {
    lane.send(static_cast<const std::byte*>(tensor.base.data), bytes, base);
  }
  clear(lane, lane.sum.reserve(count), count);
  clear(lane, lane.seen.reserve(count), count);
  lane.tau.reserve(lane.slots * count);
  float* values = lane.m.reserve(count);
  kernels::widen(lane.base(), values, count, lane.queue());
  return facts_of(lane, values).is_finite != 0;
}

backend::cuda::TaskVectorFacts put(Lane& lane, std::int64_t slot,
                                   const backend::cuda::Stored* expert) {
  float* tau = task_vector_of(lane, slot);
  lane.has_gram = false;
  if (expert == nullptr) {
    clear(lane, tau, lane.count());
    return {0, 1};
  }
  const auto dtype = static_cast<DType>(expert->dtype);
  const std::int64_t bytes = lane.count() * size_of(dtype);
  std::byte* raw = lane.raw.reserve(bytes);
  lane.send(static_cast<const std::byte*>(expert->data), bytes, raw);
  kernels::task_vector({raw, dtype}, lane.base(), tau, lane.count(), lane.queue());
  return facts_of(lane, tau);
}

void fetch_task_vector(Lane& lane, std::int64_t slot, float* tau) {
  lane.fetch(task_vector_of(lane, slot), lane.count(), tau);
}

double low_part(Lane& lane, std::int64_t slot, backend::cuda::LowPart kind,
                const backend::cuda::FactorArrays* factors) {
  float* m = lane.m.data();
  if (kind == backend::cuda::LowPart::zero) {
    clear(lane, m, lane.count());
    return 0;
  }
  if (kind == backend::cuda::LowPart::whole) {
    check(cudaMemcpyAsync(m, task_vector_of(lane, slot), as_size(lane.count()) * sizeof(float),
                          cudaMemcpyDeviceToDevice, lane.stream.get()));
  } else {
    const std::int64_t in_u = lane.short_side() * factors->kept;
    const std::int64_t in_b = lane.long_side() * factors->kept;
    float* u = lane.factors.reserve(in_u + in_b);
    lane.send(factors->u, in_u, u);
    lane.send(factors->b, in_b, u + in_u);
    kernels::product({u, u + in_u, lane.rows, lane.cols, factors->kept, lane.rows > lane.cols}, m,
                     lane.queue());
  }
  return facts_of(lane, m).squared;
}

backend::cuda::Threshold kth_largest(Lane& lane, std::int64_t slot, std::int64_t k) {
  constexpr std::int64_t kBins = kernels::kSelectBins * sizeof(unsigned long long);
  std::byte* memory = lane.counters.reserve(kBins + sizeof(kernels::SearchState));
  auto* state = reinterpret_cast<kernels::SearchState*>(memory + kBins);
  kernels::SearchState search{k, 0};
  lane.send(&search, 1, state);
  kernels::kth_largest({task_vector_of(lane, slot), lane.m.data(), lane.count()}, state,
                       reinterpret_cast<unsigned long long*>(memory), lane.queue());
  lane.fetch(state, 1, &search);
  return {search.key, search.left};
}

std::int64_t take_kept(Lane& lane, std::int64_t slot, const backend::cuda::Threshold& threshold) {
  std::byte* memory = lane.counters.reserve(sizeof(unsigned long long));
  auto* taken = reinterpret_cast<unsigned long long*>(memory);
  kernels::take_kept({task_vector_of(lane, slot), lane.m.data(), lane.count()},
                     {threshold.key, threshold.ties}, taken,
                     lane.ties.reserve(kernels::tie_counts(lane.count())), lane.queue());
  unsigned long long count = 0;
  lane.fetch(taken, 1, &count);
  return static_cast<std::int64_t>(count);
}

double add(Lane& lane, double weight) {
  kernels::accumulate(weight, lane.m.data(), lane.sum.data(), lane.count(), lane.queue());
  kernels::note_signs(lane.m.data(), lane.seen.data(), lane.count(), lane.queue());
  return facts_of(lane, lane.m.data()).squared;
}

backend::cuda::FinishFacts finish(Lane& lane, const backend::cuda::FinishAsk& ask, void* out) {
  const std::int64_t count = lane.count();
  const auto dtype = static_cast<DType>(ask.out_dtype);
  const std::int64_t bytes = count * size_of(dtype);
  const kernels::MergeTerms terms{lane.base(), lane.sum.data(), ask.lambda};
  std::byte* rounded = lane.out.reserve(bytes);
  auto* figures = reinterpret_cast<kernels::ResultFigures*>(
      lane.counters.reserve(sizeof(kernels::ResultFigures)));
  if (ask.divisor != 0) kernels::divide(lane.sum.data(), ask.divisor, count, lane.queue());
  kernels::round_merged(terms, {rounded, dtype}, count, lane.queue());
  kernels::result_figures({terms, lane.seen.data(), {rounded, dtype}}, count, figures,
                          lane.partials.reserve(2 * kernels::partial_sums(count)), lane.queue());
  lane.fetch(rounded, bytes, static_cast<std::byte*>(out));
  kernels::ResultFigures found{};
  lane.fetch(figures, 1, &found);
  return {found.base_dot_delta, found.delta_squared, static_cast<std::int64_t>(found.signs_total),
          static_cast<std::int64_t>(found.signs_agree), static_cast<std::int64_t>(found.overflows)};
}

}  // namespace koine::cuda
