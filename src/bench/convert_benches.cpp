#include <array>
#include <cstring>

#include "backend/elementwise.hpp"
#include "bench/benches.hpp"
#include "core/rules.hpp"

namespace koine::bench {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::array<DType, 3> kStored{DType::f32, DType::f16, DType::bf16};
constexpr double kLambda = 0.2;
constexpr double kWeight = 1.25;

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

Bytes stored_as(DType dtype, const std::vector<float>& values) {
  const std::vector<double> wide(values.begin(), values.end());
  Bytes raw(values.size() * as_size(size_of(dtype)));
  (void)backend::round_to(dtype, wide, raw);
  return raw;
}

/// Bits of element i, as a number, by rules.hpp alone.
std::uint32_t bits_at(DType dtype, const Bytes& raw, std::size_t i) {
  const std::size_t size = as_size(size_of(dtype));
  std::uint32_t bits = 0;
  std::memcpy(&bits, raw.data() + i * size, size);  // little-endian, as every file of ours
  return bits;
}

float widened(DType dtype, const Bytes& raw, std::size_t i) {
  const std::uint32_t bits = bits_at(dtype, raw, i);
  if (dtype == DType::f16) return rules::widen_f16(static_cast<std::uint16_t>(bits));
  if (dtype == DType::bf16) return rules::widen_bf16(static_cast<std::uint16_t>(bits));
  return rules::bits_as<float>(bits);
}

std::uint32_t rounded(DType dtype, double x) {
  if (dtype == DType::f16) return rules::round_f16(x);
  if (dtype == DType::bf16) return rules::round_bf16(x);
  return rules::bits_as<std::uint32_t>(rules::round_f32(x));
}

/// One buffer of each kind per thread.
template <typename T>
std::vector<std::vector<T>> buffers(int threads, std::int64_t count) {
  return std::vector<std::vector<T>>(as_size(threads), std::vector<T>(as_size(count)));
}

/// is_right(thread, element) for every 97th element of every thread.
template <typename IsRight>
bool holds_everywhere(int threads, std::int64_t count, IsRight&& is_right) {
  for (std::size_t t = 0; t < as_size(threads); ++t) {
    for (std::int64_t i = 0; i < count; i += kSampled)
      if (!is_right(t, as_size(i))) return false;
  }
  return true;
}

/// How one kind of kernel is measured on every stored dtype.
struct Moves {
  const char* bench;
  double other_bytes;  ///< per element, beside the stored one's
};

void report(Lab& lab, const Moves& moves, const Label& label, const Sample& sample,
            bool is_checked) {
  const auto count = static_cast<double>(numel(label.shape));
  const auto dtype = from_recipe_name(label.dtype);
  const double bytes = moves.other_bytes + static_cast<double>(size_of(dtype.value_or(DType::f32)));
  lab.report(label, sample, {.bytes = bytes * count, .elements = count}, is_checked);
}

Label label_of(const Moves& moves, DType dtype, const Shape& shape, int threads) {
  return {moves.bench, std::string(recipe_name(dtype)), shape, threads};
}

std::vector<Bytes> stored_experts(const Matrices& in, DType dtype) {
  std::vector<Bytes> raw;
  raw.reserve(in.experts.size());
  for (const std::vector<float>& expert : in.experts) raw.push_back(stored_as(dtype, expert));
  return raw;
}

}  // namespace

void bench_widen(Lab& lab, const Shape& shape, int threads) {
  const Moves moves{"widen", 4};
  const Matrices& in = lab.matrices(shape, threads);
  auto out = buffers<float>(threads, in.count());
  for (const DType dtype : kStored) {
    const std::vector<Bytes> raw = stored_experts(in, dtype);
    const auto run = [&](int thread) {
      backend::widen({dtype, raw[as_size(thread)]}, out[as_size(thread)]);
    };
    const Sample sample = measure({run, {}}, lab.timing(threads));
    const bool is_checked = holds_everywhere(threads, in.count(), [&](auto t, auto i) {
      return out[t][i] == widened(dtype, raw[t], i);
    });
    report(lab, moves, label_of(moves, dtype, shape, threads), sample, is_checked);
  }
}

void bench_task_vector(Lab& lab, const Shape& shape, int threads) {
  const Moves moves{"task_vector", 8};
  const Matrices& in = lab.matrices(shape, threads);
  auto out = buffers<float>(threads, in.count());
  for (const DType dtype : kStored) {
    const std::vector<Bytes> raw = stored_experts(in, dtype);
    const auto run = [&](int thread) {
      backend::task_vector({dtype, raw[as_size(thread)]}, in.base, out[as_size(thread)]);
    };
    const Sample sample = measure({run, {}}, lab.timing(threads));
    const bool is_checked = holds_everywhere(threads, in.count(), [&](auto t, auto i) {
      return out[t][i] == rules::task_vector(widened(dtype, raw[t], i), in.base[i]);
    });
    report(lab, moves, label_of(moves, dtype, shape, threads), sample, is_checked);
  }
}

void bench_accumulate(Lab& lab, const Shape& shape, int threads) {
  const Moves moves{"accumulate", 18};  // sum and signs, both read and written
  const Matrices& in = lab.matrices(shape, threads);
  auto sum = buffers<double>(threads, in.count());
  auto seen = buffers<std::uint8_t>(threads, in.count());
  const auto run = [&](int thread) {
    (void)backend::take_part(kWeight, in.taus[as_size(thread)], sum[as_size(thread)],
                             seen[as_size(thread)]);
  };
  const Sample sample = measure({run, {}}, lab.timing(threads));
  const auto before = sum;
  for (int t = 0; t < threads; ++t) run(t);
  const bool is_checked = holds_everywhere(threads, in.count(), [&](auto t, auto i) {
    return sum[t][i] == rules::accumulate(before[t][i], kWeight, in.taus[t][i]);
  });
  report(lab, moves, label_of(moves, DType::f32, shape, threads), sample, is_checked);
}

void bench_add_to_base(Lab& lab, const Shape& shape, int threads) {
  const Moves moves{"add_to_base", 16};
  const Matrices& in = lab.matrices(shape, threads);
  auto sum = buffers<double>(threads, in.count());
  for (const DType dtype : kStored) {
    const Bytes base = stored_as(dtype, in.base);
    const auto run = [&](int thread) {
      backend::add_to_base({dtype, base}, kLambda, sum[as_size(thread)]);
    };
    const Sample sample = measure({run, {}}, lab.timing(threads));
    const auto before = sum;
    for (int t = 0; t < threads; ++t) run(t);
    const bool is_checked = holds_everywhere(threads, in.count(), [&](auto t, auto i) {
      const auto wide = static_cast<double>(widened(dtype, base, i));
      return sum[t][i] == rules::merged(wide, kLambda, before[t][i]);
    });
    report(lab, moves, label_of(moves, dtype, shape, threads), sample, is_checked);
  }
}

void bench_round(Lab& lab, const Shape& shape, int threads) {
  const Moves moves{"round", 8};
  const Matrices& in = lab.matrices(shape, threads);
  auto values = buffers<double>(threads, in.count());
  for (std::size_t t = 0; t < values.size(); ++t) {  // between float32 numbers
    for (std::size_t i = 0; i < values[t].size(); ++i)
      values[t][i] = rules::merged(static_cast<double>(in.base[i]), kLambda / 3,
                                   static_cast<double>(in.taus[t][i]));
  }
  for (const DType dtype : kStored) {
    auto out = buffers<std::byte>(threads, in.count() * size_of(dtype));
    const auto run = [&](int thread) {
      (void)backend::round_to(dtype, values[as_size(thread)], out[as_size(thread)]);
    };
    const Sample sample = measure({run, {}}, lab.timing(threads));
    const bool is_checked = holds_everywhere(threads, in.count(), [&](auto t, auto i) {
      return bits_at(dtype, out[t], i) == rounded(dtype, values[t][i]);
    });
    report(lab, moves, label_of(moves, dtype, shape, threads), sample, is_checked);
  }
}

}  // namespace koine::bench
