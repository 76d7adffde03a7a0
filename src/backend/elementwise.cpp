#include "backend/elementwise.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstring>

#include "backend/elementwise_kernels.hpp"
#include "core/cpu.hpp"
#include "core/rules.hpp"

namespace koine::backend {
namespace {

constexpr std::size_t kBatch = 1024;  // float64 inputs are narrowed so many at a time

const ElementwiseKernels& kernels() {
  static const ElementwiseKernels& fastest = *elementwise_variants()[0];
  return fastest;
}

template <typename T>
std::int64_t length(std::span<T> span) noexcept {
  return static_cast<std::int64_t>(span.size());
}

Stored stored_as(DType dtype) noexcept {
  assert(dtype == DType::f32 || dtype == DType::f16 || dtype == DType::bf16);
  return dtype == DType::f16 ? Stored::f16 : dtype == DType::bf16 ? Stored::bf16 : Stored::f32;
}

double load_double(const std::byte* at, std::size_t i) noexcept {
  double value;
  std::memcpy(&value, at + i * sizeof value, sizeof value);
  return value;
}

/// float64 elements from `first` on, as float32.
void narrow(const std::byte* raw, std::size_t first, std::span<float> out) noexcept {
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<float>(load_double(raw, first + i));
}

}  // namespace

const ElementwiseKernels* const* elementwise_variants() {
#if defined(__x86_64__)
  static const ElementwiseKernels* const kAll[] = {&elementwise_avx512(), &elementwise_avx2(),
                                                   &elementwise_portable(), nullptr};
  return kAll + (cpu_has_avx512() ? 0 : cpu_has_avx2() ? 1 : 2);
#else
  static const ElementwiseKernels* const kAll[] = {&elementwise_portable(), nullptr};
  return kAll;
#endif
}

void widen(RawSpan raw, std::span<float> out) {
  if (raw.dtype == DType::f64) return narrow(raw.bytes.data(), 0, out);
  kernels().widen(stored_as(raw.dtype), raw.bytes.data(), out.data(), length(out));
}

TaskVectorFigures task_vector(RawSpan expert, std::span<const float> base, std::span<float> tau) {
  SquareSum squares;
  const bool is_finite = next_task_vector(expert, base, tau, squares);
  return {squares.total(), is_finite};
}

bool next_task_vector(RawSpan expert, std::span<const float> base, std::span<float> tau,
                      SquareSum& squares) {
  double* lanes = squares.lanes().data();
  if (expert.dtype != DType::f64) {
    return kernels().task_vector(stored_as(expert.dtype), expert.bytes.data(), base.data(),
                                 tau.data(), length(tau), lanes);
  }
  bool is_finite = true;
  std::array<float, kBatch> wide;
  for (std::size_t first = 0; first < tau.size(); first += kBatch) {
    const std::span<float> here(wide.data(), std::min(kBatch, tau.size() - first));
    narrow(expert.bytes.data(), first, here);
    is_finite = kernels().task_vector(Stored::f32, here.data(), base.data() + first,
                                      tau.data() + first, length(here), lanes) &&
                is_finite;
  }
  return is_finite;
}

double take_part(double weight, std::span<const float> m, std::span<double> sum,
                 std::span<std::uint8_t> seen) {
  SquareSum squares;
  take_next_part(weight, m, sum, seen, squares);
  return squares.total();
}

void take_next_part(double weight, std::span<const float> m, std::span<double> sum,
                    std::span<std::uint8_t> seen, SquareSum& squares) {
  kernels().take_part(weight, m.data(), sum.data(), seen.data(), length(m), squares.lanes().data());
}

double note_part(std::span<const float> m, std::span<std::uint8_t> seen) {
  Lanes lanes{};
  kernels().note_part(m.data(), seen.data(), length(m), lanes.data());
  return total(lanes);
}

double sum_of_squares(std::span<const float> values) noexcept {
  SquareSum sum;
  sum.add(values);
  return sum.total();
}

void SquareSum::add(std::span<const float> piece) noexcept {
  kernels().squares(piece.data(), length(piece), lanes_.data());
}

DeltaSums delta_sums(std::span<const float> base, std::span<const double> delta) {
  DeltaSum sum;
  sum.add(base, delta);
  return sum.totals();
}

void DeltaSum::add(std::span<const float> base, std::span<const double> delta) noexcept {
  kernels().delta_sums(base.data(), delta.data(), length(base), dots_.data(), squares_.data());
}

void add_to_base(RawSpan base, double lambda, std::span<double> sum_to_value) {
  if (base.dtype != DType::f64) {
    return kernels().add_to_base(stored_as(base.dtype), base.bytes.data(), lambda,
                                 sum_to_value.data(), length(sum_to_value));
  }
  for (std::size_t i = 0; i < sum_to_value.size(); ++i)
    sum_to_value[i] = rules::merged(load_double(base.bytes.data(), i), lambda, sum_to_value[i]);
}

std::int64_t round_to(DType dtype, std::span<const double> value, std::span<std::byte> out) {
  if (dtype != DType::f64)
    return kernels().round_to(stored_as(dtype), value.data(), out.data(), length(value));
  if (!value.empty()) std::memcpy(out.data(), value.data(), value.size_bytes());
  return 0;
}

std::optional<std::int64_t> first_nonfinite(std::span<const float> values) noexcept {
  if (kernels().all_finite(values.data(), length(values))) return std::nullopt;
  const auto* bad = std::find_if(values.data(), values.data() + values.size(),
                                 [](float x) { return !std::isfinite(x); });
  return bad - values.data();
}

}  // namespace koine::backend
