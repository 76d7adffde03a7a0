#pragma once

/// The loops of selection, for the files built with AVX2 or AVX-512 (and empty elsewhere). A set of
/// lanes is a word, lane i at bit i; each file brings its own `load`, `above`, …, before it
/// includes this one. Internal linkage and no standard header: nothing built with wider
/// instructions may be found by the rest of the program.

#include "core/read_ahead.hpp"
#include "sparse/select_kernels.hpp"

#if defined(__AVX2__)
namespace koine::sparse {
namespace {

inline int as_signed(std::uint32_t key) {
  return static_cast<int>(key);  // no key uses bit 31
}

/// Calls step(first, lanes) for whole vectors, then for what is left of the last one.
template <typename Step>
inline void over(std::int64_t count, Step step) {
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) step(i, kLanes);
  if (i < count) step(i, static_cast<int>(count - i));
}

template <bool kHasLow>
inline Words keys_at(const Residual& r, std::int64_t first, int lanes) {
  read_ahead(r.tau + first);
  const Floats tau = load(r.tau + first, lanes);
  if constexpr (kHasLow) return magnitude(tau - load(r.low + first, lanes));
  return magnitude(tau);
}

template <bool kHasLow>
inline Standing compare_over(const Residual& r, std::uint32_t key) {
  const Words limit = all_of(as_signed(key));
  Standing standing;
  over(r.count, [&](std::int64_t first, int lanes) {
    const Words keys = keys_at<kHasLow>(r, first, lanes);
    standing.above += number_of(is_above(keys, limit) & first_lanes(lanes));
    standing.equal += number_of(is_equal(keys, limit) & first_lanes(lanes));
  });
  return standing;
}

template <bool kHasLow>
inline Caught gather_over(const Residual& r, std::uint32_t lowest, std::uint32_t highest,
                          float* out) {
  const Words under = all_of(as_signed(lowest) - 1), top = all_of(as_signed(highest));
  Caught caught;
  over(r.count, [&](std::int64_t first, int lanes) {
    const Words keys = keys_at<kHasLow>(r, first, lanes);
    const unsigned above = is_above(keys, top);
    const unsigned inside = is_above(keys, under) & ~above & first_lanes(lanes);
    caught.above += number_of(above & first_lanes(lanes));
    store_front(out + caught.inside, keys, inside);
    caught.inside += number_of(inside);
  });
  return caught;
}

/// The lowest `most` of a set of lanes.
inline unsigned lowest_of(unsigned lanes, std::int64_t most) {
  unsigned kept = 0;
  for (; lanes != 0 && most > 0; --most) {
    kept |= lanes & (0U - lanes);
    lanes &= lanes - 1;
  }
  return kept;
}

Standing compare(const Residual& r, std::uint32_t key) {
  return r.low != nullptr ? compare_over<true>(r, key) : compare_over<false>(r, key);
}

Caught gather(const Residual& r, std::uint32_t lowest, std::uint32_t highest, float* out) {
  return r.low != nullptr ? gather_over<true>(r, lowest, highest, out)
                          : gather_over<false>(r, lowest, highest, out);
}

std::int64_t take(const Residual& r, float* out, std::uint32_t key, std::int64_t& ties) {
  const Words limit = all_of(as_signed(key));
  std::int64_t taken = 0;
  over(r.count, [&](std::int64_t first, int lanes) {
    read_ahead(r.tau + first);
    const Floats from = load(r.tau + first, lanes), to = load(r.low + first, lanes);
    const Words keys = magnitude(from - to);
    unsigned chosen = is_above(keys, limit) & first_lanes(lanes);
    const unsigned equal = is_equal(keys, limit) & first_lanes(lanes);
    if (equal != 0 && ties > 0) [[unlikely]] {
      const unsigned tied = lowest_of(equal, ties);
      ties -= number_of(tied);
      chosen |= tied;
    }
    store(out + first, choose(chosen, from, to), lanes);
    taken += number_of(chosen);
  });
  return taken;
}

constexpr SelectKernels kernels_named(const char* name) {
  return {name, compare, gather, take};
}

}  // namespace
}  // namespace koine::sparse
#endif
