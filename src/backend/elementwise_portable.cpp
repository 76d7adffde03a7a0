#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <memory>

#include "backend/elementwise_kernels.hpp"
#include "core/lanes.hpp"
#include "core/rules.hpp"

namespace koine::backend {
namespace {

template <typename T>
T load(const void* at, std::int64_t i) noexcept {
  T value;
  std::memcpy(&value, static_cast<const std::byte*>(at) + static_cast<std::size_t>(i) * sizeof(T),
              sizeof(T));
  return value;
}

/// Every fp16 value, widened by the rule: a table of 256 KiB stays in the cache where the rule's
/// branches would not pay.
const std::array<float, 65536>& f16_table() {
  static const auto kTable = [] {
    auto values = std::make_unique<std::array<float, 65536>>();
    for (std::uint32_t h = 0; h < 65536; ++h)
      (*values)[h] = rules::widen_f16(static_cast<std::uint16_t>(h));
    return values;
  }();
  return *kTable;
}

/// Calls use(i, float32 value) for every element.
template <typename Use>
void for_each_widened(Stored kind, const void* raw, std::int64_t count, Use use) {
  if (kind == Stored::f32) {
    for (std::int64_t i = 0; i < count; ++i) use(i, load<float>(raw, i));
  } else if (kind == Stored::f16) {
    const auto& table = f16_table();
    for (std::int64_t i = 0; i < count; ++i) use(i, table[load<std::uint16_t>(raw, i)]);
  } else {
    for (std::int64_t i = 0; i < count; ++i) use(i, rules::widen_bf16(load<std::uint16_t>(raw, i)));
  }
}

/// Adds to lanes that the caller keeps as an array.
template <typename Term>
void add_lanes(double* lanes, std::int64_t count, Term term) noexcept {
  Lanes lane;
  std::copy_n(lanes, kLanes, lane.begin());
  add_to_lanes(lane, static_cast<std::size_t>(count), term);
  std::copy_n(lane.begin(), kLanes, lanes);
}

void widen(Stored kind, const void* raw, float* out, std::int64_t count) {
  for_each_widened(kind, raw, count, [&](std::int64_t i, float value) { out[i] = value; });
}

bool all_finite(const float* x, std::int64_t count) {
  std::uint32_t largest = 0;
  for (std::int64_t i = 0; i < count; ++i) largest = std::max(largest, rules::magnitude_key(x[i]));
  return largest < 0x7F800000U;
}

void squares(const float* x, std::int64_t count, double* lanes) {
  add_lanes(lanes, count, [&](std::size_t i) {
    const double wide = x[i];
    return wide * wide;
  });
}

// NOLINTNEXTLINE(readability-function-size): a row of the kernel table, called in one place
bool task_vector(Stored kind, const void* expert, const float* base, float* tau, std::int64_t count,
                 double* lanes) {
  for_each_widened(kind, expert, count, [&](std::int64_t i, float value) {
    tau[i] = rules::task_vector(value, base[i]);
  });
  squares(tau, count, lanes);
  return all_finite(tau, count);
}

void note_part(const float* m, std::uint8_t* seen, std::int64_t count, double* lanes) {
  squares(m, count, lanes);
  for (std::int64_t i = 0; i < count; ++i) seen[i] = rules::see_sign(seen[i], m[i]);
}

// NOLINTNEXTLINE(readability-function-size): as above
void take_part(double weight, const float* m, double* sum, std::uint8_t* seen, std::int64_t count,
               double* lanes) {
  for (std::int64_t i = 0; i < count; ++i) sum[i] = rules::accumulate(sum[i], weight, m[i]);
  note_part(m, seen, count, lanes);
}

void add_to_base(Stored kind, const void* base, double lambda, double* sum, std::int64_t count) {
  for_each_widened(kind, base, count, [&](std::int64_t i, float value) {
    sum[i] = rules::merged(static_cast<double>(value), lambda, sum[i]);
  });
}

/// Stores round(value_i) and counts the finite values that became infinite.
template <typename Bits, typename Round>
std::int64_t store_rounded(const double* value, void* out, std::int64_t count, Bits infinity,
                           Round round) {
  std::int64_t overflows = 0;
  auto* to = static_cast<std::byte*>(out);
  for (std::int64_t i = 0; i < count; ++i) {
    const Bits bits = round(value[i]);
    std::memcpy(to + static_cast<std::size_t>(i) * sizeof(Bits), &bits, sizeof(Bits));
    const auto magnitude =
        static_cast<Bits>(bits & static_cast<Bits>(~(Bits{1} << (sizeof(Bits) * 8 - 1))));
    overflows += (magnitude == infinity && std::isfinite(value[i])) ? 1 : 0;
  }
  return overflows;
}

std::int64_t round_to(Stored kind, const double* value, void* out, std::int64_t count) {
  if (kind == Stored::f16)
    return store_rounded<std::uint16_t>(value, out, count, 0x7C00U, rules::round_f16);
  if (kind == Stored::bf16)
    return store_rounded<std::uint16_t>(value, out, count, 0x7F80U, rules::round_bf16);
  return store_rounded<std::uint32_t>(value, out, count, 0x7F800000U, [](double x) {
    return rules::bits_as<std::uint32_t>(rules::round_f32(x));
  });
}

void delta_sums(const float* base, const double* delta, std::int64_t count, double* dot_lanes,
                double* square_lanes) {
  add_lanes(dot_lanes, count,
            [&](std::size_t i) { return static_cast<double>(base[i]) * delta[i]; });
  add_lanes(square_lanes, count, [&](std::size_t i) { return delta[i] * delta[i]; });
}

}  // namespace

const ElementwiseKernels& elementwise_portable() {
  static constexpr ElementwiseKernels kKernels{"portable", widen,       task_vector, take_part,
                                               note_part,  add_to_base, round_to,    squares,
                                               delta_sums, all_finite};
  return kKernels;
}

}  // namespace koine::backend
