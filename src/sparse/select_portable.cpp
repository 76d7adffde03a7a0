#include <algorithm>

#include "core/cpu.hpp"
#include "core/rules.hpp"
#include "sparse/keys.hpp"
#include "sparse/select_kernels.hpp"

namespace koine::sparse {
namespace {

/// Calls step(keys, first, count) for a block at a time.
template <typename Step>
void over(const Residual& r, Step step) {
  const auto count = static_cast<std::size_t>(r.count);
  const std::span<const float> tau(r.tau, count);
  const std::span<const float> low(r.low, r.low == nullptr ? 0 : count);
  Keys keys;
  for (std::size_t first = 0; first < count; first += kBlock) {
    const std::size_t here = std::min(kBlock, count - first);
    make_keys(tau, low, first, here, keys);
    step(keys, first, here);
  }
}

Standing compare(const Residual& r, std::uint32_t key) {
  Standing standing;
  over(r, [&](const Keys& keys, std::size_t, std::size_t count) {
    const auto limit = static_cast<std::int32_t>(key);  // signed, which SSE2 has; bit 31 is free
    std::int32_t above = 0, equal = 0;
    for (std::size_t i = 0; i < count; ++i) {
      above += static_cast<std::int32_t>(keys[i]) > limit ? 1 : 0;
      equal += static_cast<std::int32_t>(keys[i]) == limit ? 1 : 0;
    }
    standing.above += above;
    standing.equal += equal;
  });
  return standing;
}

Caught gather(const Residual& r, std::uint32_t lowest, std::uint32_t highest, float* out) {
  Caught caught;
  over(r, [&](const Keys& keys, std::size_t, std::size_t count) {
    std::int64_t above = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t key = keys[i];
      above += key > highest ? 1 : 0;
      out[caught.inside] = rules::bits_as<float>(key);
      caught.inside += key - lowest <= highest - lowest ? 1 : 0;  // below `lowest` wraps around
    }
    caught.above += above;
  });
  return caught;
}

/// Takes all entries of a block whose key is above the threshold.
Standing take_above(std::uint32_t threshold, const Keys& keys, const Residual& block, float* out) {
  const auto limit = static_cast<std::int32_t>(threshold);
  std::int32_t above = 0, equal = 0;
  for (std::int64_t i = 0; i < block.count; ++i) {
    const auto key = static_cast<std::int32_t>(keys[static_cast<std::size_t>(i)]);
    const float taken = block.tau[i], left = block.low[i];
    out[i] = key > limit ? taken : left;
    above += key > limit ? 1 : 0;
    equal += key == limit ? 1 : 0;
  }
  return {above, equal};
}

/// Takes the first `ties` entries of a block that equal the threshold.
void take_ties(std::uint32_t key, std::int64_t ties, const Keys& keys, const Residual& block,
               float* out) {
  for (std::int64_t i = 0; i < block.count && ties > 0; ++i) {
    if (keys[static_cast<std::size_t>(i)] != key) continue;
    out[i] = block.tau[i];
    --ties;
  }
}

std::int64_t take(const Residual& r, float* out, std::uint32_t key, std::int64_t& ties) {
  std::int64_t taken = 0;
  over(r, [&](const Keys& keys, std::size_t first, std::size_t here) {
    const Residual block{r.tau + first, r.low + first, static_cast<std::int64_t>(here)};
    const Standing standing = take_above(key, keys, block, out + first);
    const std::int64_t tied = std::min(ties, standing.equal);
    if (tied > 0) take_ties(key, tied, keys, block, out + first);
    taken += standing.above + tied;
    ties -= tied;
  });
  return taken;
}

}  // namespace

const SelectKernels& select_portable() {
  static constexpr SelectKernels kKernels{"portable", compare, gather, take};
  return kKernels;
}

const SelectKernels* const* select_variants() {
#if defined(__x86_64__)
  static const SelectKernels* const kAll[] = {&select_avx512(), &select_avx2(), &select_portable(),
                                              nullptr};
  return kAll + (cpu_has_avx512() ? 0 : cpu_has_avx2() ? 1 : 2);
#else
  static const SelectKernels* const kAll[] = {&select_portable(), nullptr};
  return kAll;
#endif
}

}  // namespace koine::sparse
