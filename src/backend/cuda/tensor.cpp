#include "backend/cuda/tensor.hpp"

#include "core/shape.hpp"
#include "kernels/figures.hpp"
#include "kernels/product.hpp"
#include "kernels/select.hpp"

namespace koine::cuda {
namespace {

constexpr std::uint32_t kInfinity = 0x7F800000U;

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

/// Two words of device memory: |x|^2, and the key of its largest magnitude.
struct Figures {
  double squared;
  std::uint32_t key;
};

/// The figures of slots, then of places' bases, then of M.
Figures* figures_of(const Lane& lane, std::int64_t index) {
  return reinterpret_cast<Figures*>(lane.figures.data()) + index;
}

/// |x|^2, and whether all of x is finite, into the figures at `index`.
void note(Lane& lane, const float* x, std::int64_t index) {
  Figures* to = figures_of(lane, index);
  double* partials = lane.partials.reserve(kernels::partial_sums(lane.count()));
  kernels::squares(x, lane.count(), {&to->squared, &to->key, partials}, lane.queue());
}

double squared_of_m(Lane& lane) {
  const std::int64_t index = lane.slots + lane.open_places;
  note(lane, lane.m.data(), index);
  Figures found{};
  lane.fetch(figures_of(lane, index), 1, &found);
  return found.squared;
}

float* tau_of(const Lane& lane, std::int64_t slot) {
  return lane.tau.data() + slot * lane.count();
}

template <typename T>
void clear(const Lane& lane, T* data, std::int64_t count) {
  check(cudaMemsetAsync(data, 0, as_size(count) * sizeof(T), lane.stream.get()));
}

/// Asks for kernels, by `use(const std::byte*)`, that read stored elements where they have come to.
template <typename Use>
void with_arrived(Lane& lane, const backend::cuda::Stored& stored, std::int64_t bytes, Use use) {
  if (stored.buffer < 0) {
    std::byte* raw = lane.raw.reserve(bytes);
    lane.send(static_cast<const std::byte*>(stored.data), bytes, raw);
    return use(raw);
  }
  use(lane.intake.arrived(stored.buffer, lane.stream.get()));
  lane.intake.used(stored.buffer, lane.stream.get());
}

}  // namespace

void begin(Lane& lane, const backend::cuda::Shape& shape) {
  lane.rows = shape.rows;
  lane.cols = shape.cols;
  lane.gram_is.reset();
  const std::int64_t count = lane.count(), figures = lane.slots + shape.places + 1;
  lane.open_places = shape.places;
  if (lane.places.size() < as_size(shape.places)) lane.places.resize(as_size(shape.places));
  for (std::int64_t p = 0; p < shape.places; ++p) {
    lane.places[as_size(p)].sum.reserve(count);
    lane.places[as_size(p)].seen.reserve(count);
  }
  lane.tau.reserve(lane.slots * count);
  lane.m.reserve(count);
  static_assert(sizeof(Figures) == 2 * sizeof(double));
  clear(lane, lane.figures.reserve(2 * figures), 2 * figures);
}

void start(Lane& lane, std::int64_t at, const backend::cuda::Stored* base) {
  Place& place = lane.places.at(as_size(at));
  place.base_dtype = base == nullptr ? DType::f32 : static_cast<DType>(base->dtype);
  const std::int64_t count = lane.count(), bytes = count * size_of(place.base_dtype);
  std::byte* raw = place.base_raw.reserve(bytes);
  if (base == nullptr) {
    clear(lane, raw, bytes);
  } else {
    with_arrived(lane, *base, bytes, [&](const std::byte* from) {
      check(
          cudaMemcpyAsync(raw, from, as_size(bytes), cudaMemcpyDeviceToDevice, lane.stream.get()));
    });
  }
  clear(lane, place.sum.data(), count);
  clear(lane, place.seen.data(), count);
  kernels::widen(place.base(), lane.m.data(), count, lane.queue());
  note(lane, lane.m.data(), lane.slots + at);
}

void put(Lane& lane, std::int64_t slot, std::int64_t place, const backend::cuda::Stored* expert) {
  float* tau = tau_of(lane, slot);
  lane.gram_is.reset();
  if (expert == nullptr) {
    clear(lane, tau, lane.count());
  } else {
    const auto dtype = static_cast<DType>(expert->dtype);
    with_arrived(lane, *expert, lane.count() * size_of(dtype), [&](const std::byte* from) {
      kernels::task_vector({from, dtype}, lane.places.at(as_size(place)).base(), tau, lane.count(),
                           lane.queue());
    });
  }
  note(lane, tau, slot);
}

void facts(Lane& lane, backend::cuda::TaskVectorFacts* of_slots, std::int32_t* is_finite) {
  std::vector<Figures> found(as_size(lane.slots + lane.open_places));
  lane.fetch(figures_of(lane, 0), static_cast<std::int64_t>(found.size()), found.data());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::int32_t all_finite = found[i].key < kInfinity ? 1 : 0;
    if (i < as_size(lane.slots)) {
      of_slots[i] = {found[i].squared, all_finite};
    } else {
      is_finite[i - as_size(lane.slots)] = all_finite;
    }
  }
}

void fetch_task_vector(Lane& lane, std::int64_t slot, float* tau) {
  lane.fetch(tau_of(lane, slot), lane.count(), tau);
}

double low_part(Lane& lane, std::int64_t slot, backend::cuda::LowPart kind,
                const backend::cuda::FactorArrays* factors) {
  float* m = lane.m.data();
  if (kind == backend::cuda::LowPart::zero) {
    clear(lane, m, lane.count());
    return 0;
  }
  if (kind == backend::cuda::LowPart::whole) {
    check(cudaMemcpyAsync(m, tau_of(lane, slot), as_size(lane.count()) * sizeof(float),
                          cudaMemcpyDeviceToDevice, lane.stream.get()));
  } else {
    const std::int64_t in_u = lane.short_side() * factors->kept;
    const std::int64_t in_b = lane.long_side() * factors->kept;
    float* u = lane.factors.reserve(in_u + in_b);
    lane.send(factors->u, in_u, u);
    lane.send(factors->b, in_b, u + in_u);
    kernels::product(
        {u, u + in_u, lane.rows, lane.cols, factors->kept, is_transposed(lane.rows, lane.cols)}, m,
        lane.queue());
  }
  return squared_of_m(lane);
}

backend::cuda::Threshold kth_largest(Lane& lane, std::int64_t slot, std::int64_t k) {
  constexpr std::int64_t kBins = kernels::kSelectBins * sizeof(unsigned long long);
  std::byte* memory = lane.counters.reserve(kBins + sizeof(kernels::SearchState));
  auto* state = reinterpret_cast<kernels::SearchState*>(memory + kBins);
  kernels::SearchState search{k, 0};
  lane.send(&search, 1, state);
  kernels::kth_largest({tau_of(lane, slot), lane.m.data(), lane.count()}, state,
                       reinterpret_cast<unsigned long long*>(memory), lane.queue());
  lane.fetch(state, 1, &search);
  return {search.key, search.left};
}

std::int64_t take_kept(Lane& lane, std::int64_t slot, const backend::cuda::Threshold& threshold) {
  std::byte* memory = lane.counters.reserve(sizeof(unsigned long long));
  auto* taken = reinterpret_cast<unsigned long long*>(memory);
  kernels::take_kept({tau_of(lane, slot), lane.m.data(), lane.count()},
                     {threshold.key, threshold.ties}, taken,
                     lane.ties.reserve(kernels::tie_counts(lane.count())), lane.queue());
  unsigned long long count = 0;
  lane.fetch(taken, 1, &count);
  return static_cast<std::int64_t>(count);
}

double add(Lane& lane, std::int64_t at, double weight) {
  const Place& place = lane.places.at(as_size(at));
  kernels::accumulate(weight, lane.m.data(), place.sum.data(), lane.count(), lane.queue());
  kernels::note_signs(lane.m.data(), place.seen.data(), lane.count(), lane.queue());
  return squared_of_m(lane);
}

backend::cuda::FinishFacts finish(Lane& lane, std::int64_t at,
                                  const backend::cuda::FinishAsk& ask) {
  const Place& place = lane.places.at(as_size(at));
  const std::int64_t count = lane.count();
  const auto dtype = static_cast<DType>(ask.out_dtype);
  const std::int64_t bytes = count * size_of(dtype);
  const kernels::MergeTerms terms{place.base(), place.sum.data(), ask.lambda};
  std::byte* rounded = lane.outlet.room(ask.buffer, bytes);
  auto* figures = reinterpret_cast<kernels::ResultFigures*>(
      lane.counters.reserve(sizeof(kernels::ResultFigures)));
  if (ask.divisor != 0) kernels::divide(place.sum.data(), ask.divisor, count, lane.queue());
  kernels::round_merged(terms, {rounded, dtype}, count, lane.queue());
  lane.outlet.send(ask.buffer, bytes, lane.stream.get());
  kernels::result_figures({terms, place.seen.data(), {rounded, dtype}}, count, figures,
                          lane.partials.reserve(2 * kernels::partial_sums(count)), lane.queue());
  kernels::ResultFigures found{};
  lane.fetch(figures, 1, &found);
  return {found.base_dot_delta, found.delta_squared, static_cast<std::int64_t>(found.signs_total),
          static_cast<std::int64_t>(found.signs_agree), static_cast<std::int64_t>(found.overflows)};
}

}  // namespace koine::cuda
