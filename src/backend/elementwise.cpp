#include "backend/elementwise.hpp"

#include <array>
#include <cmath>
#include <cstring>
#include <memory>

#include "core/rules.hpp"

namespace koine::backend {
namespace {

template <typename T>
T load(const std::byte* at, std::size_t i) noexcept {
  T value;
  std::memcpy(&value, at + i * sizeof(T), sizeof(T));
  return value;
}

/// Every fp16 value, widened by the rule: a table of 256 KiB stays in the cache where the rule's
/// branches would not pay.
const std::array<float, 65536>& f16_table() {
  static const auto table = [] {
    auto values = std::make_unique<std::array<float, 65536>>();
    for (std::uint32_t h = 0; h < 65536; ++h)
      (*values)[h] = rules::widen_f16(static_cast<std::uint16_t>(h));
    return values;
  }();
  return *table;
}

/// Calls use(i, float32 value) for every element.
template <typename Use>
void for_each_widened(RawSpan raw, std::size_t count, Use use) {
  const std::byte* at = raw.bytes.data();
  if (raw.dtype == DType::f32) {
    for (std::size_t i = 0; i < count; ++i) use(i, load<float>(at, i));
  } else if (raw.dtype == DType::f16) {
    const auto& table = f16_table();
    for (std::size_t i = 0; i < count; ++i) use(i, table[load<std::uint16_t>(at, i)]);
  } else if (raw.dtype == DType::bf16) {
    for (std::size_t i = 0; i < count; ++i) use(i, rules::widen_bf16(load<std::uint16_t>(at, i)));
  } else {
    for (std::size_t i = 0; i < count; ++i) use(i, static_cast<float>(load<double>(at, i)));
  }
}

/// Stores round(value_i) and counts the finite values that became infinite.
template <typename Bits, typename Round>
std::int64_t store_rounded(std::span<const double> value, std::byte* out, Bits infinity,
                           Round round) {
  std::int64_t overflows = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const Bits bits = round(value[i]);
    std::memcpy(out + i * sizeof(Bits), &bits, sizeof(Bits));
    const auto magnitude =
        static_cast<Bits>(bits & static_cast<Bits>(~(Bits{1} << (sizeof(Bits) * 8 - 1))));
    overflows += (magnitude == infinity && std::isfinite(value[i])) ? 1 : 0;
  }
  return overflows;
}

}  // namespace

void widen(RawSpan raw, std::span<float> out) {
  for_each_widened(raw, out.size(), [&](std::size_t i, float value) { out[i] = value; });
}

void task_vector(RawSpan expert, std::span<const float> base, std::span<float> tau) {
  for_each_widened(expert, tau.size(), [&](std::size_t i, float value) {
    tau[i] = rules::task_vector(value, base[i]);
  });
}

void accumulate(double weight, std::span<const float> m, std::span<double> sum) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = rules::accumulate(sum[i], weight, m[i]);
}

void add_to_base(RawSpan base, double lambda, std::span<double> sum_to_value) {
  if (base.dtype == DType::f64) {
    for (std::size_t i = 0; i < sum_to_value.size(); ++i) {
      sum_to_value[i] = rules::merged(load<double>(base.bytes.data(), i), lambda, sum_to_value[i]);
    }
    return;
  }
  for_each_widened(base, sum_to_value.size(), [&](std::size_t i, float value) {
    sum_to_value[i] = rules::merged(static_cast<double>(value), lambda, sum_to_value[i]);
  });
}

std::int64_t round_to(DType dtype, std::span<const double> value, std::span<std::byte> out) {
  if (dtype == DType::f64) {
    std::memcpy(out.data(), value.data(), value.size_bytes());
    return 0;
  }
  if (dtype == DType::f32) {
    return store_rounded<std::uint32_t>(value, out.data(), 0x7F800000U, [](double x) {
      return rules::bits_as<std::uint32_t>(rules::round_f32(x));
    });
  }
  if (dtype == DType::f16)
    return store_rounded<std::uint16_t>(value, out.data(), 0x7C00U, rules::round_f16);
  return store_rounded<std::uint16_t>(value, out.data(), 0x7F80U, rules::round_bf16);
}

std::optional<std::int64_t> first_nonfinite(std::span<const float> values) noexcept {
  constexpr std::size_t kBatch = 1024;
  for (std::size_t start = 0; start < values.size(); start += kBatch) {
    const std::size_t end = std::min(values.size(), start + kBatch);
    std::uint32_t largest = 0;
    for (std::size_t i = start; i < end; ++i)
      largest = std::max(largest, rules::magnitude_key(values[i]));
    if (largest < 0x7F800000U) continue;
    for (std::size_t i = start; i < end; ++i) {
      if (!std::isfinite(values[i])) return static_cast<std::int64_t>(i);
    }
  }
  return std::nullopt;
}

}  // namespace koine::backend
