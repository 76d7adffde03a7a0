#pragma once

/// The loops of elementwise_kernels.hpp around eight.hpp: one source for AVX2 and AVX-512, empty
/// elsewhere. A rest of fewer than eight goes through buffers filled up with zeros, which add
/// nothing to a lane.

#include "backend/eight.hpp"
#include "backend/elementwise_kernels.hpp"
#include "core/read_ahead.hpp"

#if defined(__AVX2__)
namespace koine::backend {
namespace {

constexpr std::int64_t kWide = 8;

/// Calls step(i, 8) while eight are left, then step(i, rest) for the rest.
template <typename Step>
inline void for_eights(std::int64_t count, Step step) {
  std::int64_t i = 0;
  for (; i + kWide <= count; i += kWide) step(i, kWide);
  if (i < count) step(i, count - i);
}

/// The sixteen running sums of core/lanes.hpp.
class Sums {
 public:
  explicit Sums(double* lanes) : lanes_(lanes), halves_{load(lanes), load(lanes + kWide)} {}
  void put_back() const {
    store(lanes_, halves_[0]);
    store(lanes_ + kWide, halves_[1]);
  }
  Doubles& operator[](int half) { return halves_[half]; }

 private:
  double* lanes_;
  Doubles halves_[2];
};

/// As for_eights, step(i, n, half): which half of the sums the eight go to.
template <typename Step>
inline void for_halves(std::int64_t count, Step step) {
  std::int64_t i = 0;
  for (; i + 2 * kWide <= count; i += 2 * kWide) {
    step(i, kWide, 0);
    step(i + kWide, kWide, 1);
  }
  if (i == count) return;
  step(i, count - i < kWide ? count - i : kWide, 0);
  if (i + kWide < count) step(i + kWide, count - i - kWide, 1);
}

/// Eight elements, of which `count` are there.
template <typename T>
struct Few {
  alignas(64) T values[kWide] = {};
  Few() = default;
  Few(const T* from, std::int64_t count) {
    __builtin_memcpy(values, from, static_cast<unsigned long>(count) * sizeof(T));
  }
  void copy_to(T* to, std::int64_t count) const {
    __builtin_memcpy(to, values, static_cast<unsigned long>(count) * sizeof(T));
  }
};

inline Floats load_floats(const float* at, std::int64_t count) {
  return count == kWide ? _mm256_loadu_ps(at) : _mm256_load_ps(Few<float>(at, count).values);
}
inline Doubles load_doubles(const double* at, std::int64_t count) {
  return count == kWide ? load(at) : load(Few<double>(at, count).values);
}
inline void store_floats(float* at, Floats x, std::int64_t count) {
  if (count == kWide) return _mm256_storeu_ps(at, x);
  Few<float> few;
  _mm256_store_ps(few.values, x);
  few.copy_to(at, count);
}
inline void store_doubles(double* at, Doubles x, std::int64_t count) {
  if (count == kWide) return store(at, x);
  Few<double> few;
  store(few.values, x);
  few.copy_to(at, count);
}

inline __m128i load_words(const std::uint16_t* at, std::int64_t count) {
  if (count == kWide) return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  const Few<std::uint16_t> few(at, count);
  return _mm_load_si128(reinterpret_cast<const __m128i*>(few.values));
}
inline void store_words(std::uint16_t* at, __m128i x, std::int64_t count) {
  if (count == kWide) return _mm_storeu_si128(reinterpret_cast<__m128i*>(at), x);
  Few<std::uint16_t> few;
  _mm_store_si128(reinterpret_cast<__m128i*>(few.values), x);
  few.copy_to(at, count);
}

template <Stored Kind>
inline Floats load_raw(const void* raw, std::int64_t i, std::int64_t count) {
  if constexpr (Kind == Stored::f32) {
    return load_floats(static_cast<const float*>(raw) + i, count);
  } else {
    const __m128i bits = load_words(static_cast<const std::uint16_t*>(raw) + i, count);
    return Kind == Stored::f16 ? widen_f16(bits) : widen_bf16(bits);
  }
}

/// Calls use.template operator()<Kind>().
template <typename Use>
inline auto with_kind(Stored kind, Use use) {
  if (kind == Stored::f32) return use.template operator()<Stored::f32>();
  if (kind == Stored::f16) return use.template operator()<Stored::f16>();
  return use.template operator()<Stored::bf16>();
}

inline Ints magnitude_bits(Floats x) {
  return _mm256_and_si256(_mm256_castps_si256(x), all_of(INT32_MAX));
}

inline bool is_finite(Ints largest) {
  return _mm256_testz_si256(_mm256_cmpgt_epi32(largest, all_of(0x7F7FFFFF)), all_of(-1)) != 0;
}

void widen_all(Stored kind, const void* raw, float* out, std::int64_t count) {
  with_kind(kind, [&]<Stored Kind>() {
    for_eights(count, [&](std::int64_t i, std::int64_t n) {
      store_floats(out + i, load_raw<Kind>(raw, i, n), n);
    });
  });
}

// NOLINTNEXTLINE(readability-function-size): a row of the kernel table, called in one place
bool task_vector_all(Stored kind, const void* expert, const float* base, float* tau,
                     std::int64_t count, double* lanes) {
  return with_kind(kind, [&]<Stored Kind>() {
    Sums squares(lanes);
    Ints largest = all_of(0);
    for_halves(count, [&](std::int64_t i, std::int64_t n, int half) {
      read_ahead(base + i);
      const Floats x = _mm256_sub_ps(load_raw<Kind>(expert, i, n), load_floats(base + i, n));
      store_floats(tau + i, x, n);
      largest = _mm256_max_epi32(largest, magnitude_bits(x));
      const Doubles wide = widen(x);
      squares[half] = squares[half] + wide * wide;
    });
    squares.put_back();
    return is_finite(largest);
  });
}

inline void note_few(Floats m, std::uint8_t* seen, std::int64_t count) {
  if (count == kWide) return note_signs(m, seen);
  Few<std::uint8_t> few(seen, count);
  note_signs(m, few.values);
  few.copy_to(seen, count);
}

/// As for_halves, and notes the signs of m.
template <typename Step>
inline void for_noted(const float* m, std::uint8_t* seen, std::int64_t count, Step step) {
  static_assert(kNoted % (2 * kWide) == 0);
  std::int64_t first = 0;
  for (; first + kNoted <= count; first += kNoted) {
    for_halves(kNoted, [&](std::int64_t i, std::int64_t n, int half) { step(first + i, n, half); });
    note_many(m + first, seen + first);
  }
  for_halves(count - first, [&](std::int64_t i, std::int64_t n, int half) {
    step(first + i, n, half);
    note_few(load_floats(m + first + i, n), seen + first + i, n);
  });
}

// NOLINTNEXTLINE(readability-function-size): as above
void take_part_all(double weight, const float* m, double* sum, std::uint8_t* seen,
                   std::int64_t count, double* lanes) {
  const Doubles w = all(weight);
  Sums squares(lanes);
  for_noted(m, seen, count, [&](std::int64_t i, std::int64_t n, int half) {
    read_ahead(sum + i);
    const Doubles wide = widen(load_floats(m + i, n));
    squares[half] = squares[half] + wide * wide;
    store_doubles(sum + i, load_doubles(sum + i, n) + w * wide, n);
  });
  squares.put_back();
}

void note_part_all(const float* m, std::uint8_t* seen, std::int64_t count, double* lanes) {
  Sums squares(lanes);
  for_noted(m, seen, count, [&](std::int64_t i, std::int64_t n, int half) {
    const Doubles wide = widen(load_floats(m + i, n));
    squares[half] = squares[half] + wide * wide;
  });
  squares.put_back();
}

void add_to_base_all(Stored kind, const void* base, double lambda, double* sum,
                     std::int64_t count) {
  with_kind(kind, [&]<Stored Kind>() {
    const Doubles scale = all(lambda);
    for_eights(count, [&](std::int64_t i, std::int64_t n) {
      const Doubles product = scale * load_doubles(sum + i, n);
      store_doubles(sum + i, widen(load_raw<Kind>(base, i, n)) + product, n);
    });
  });
}

/// How many of the eight are infinite though the value was not.
inline int overflows(Ints is_infinite, Doubles value) {
  if (_mm256_testz_si256(is_infinite, is_infinite) != 0) return 0;
  const Ints was_finite = is_larger(all(__builtin_inf()), magnitude(value));
  const Floats lost = _mm256_castsi256_ps(_mm256_and_si256(is_infinite, was_finite));
  return __builtin_popcount(static_cast<unsigned>(_mm256_movemask_ps(lost)));
}

template <Stored Kind>
inline int round_eight(Doubles value, void* out, std::int64_t i, std::int64_t n) {
  if constexpr (Kind == Stored::f32) {
    const Floats x = narrow(value);
    store_floats(static_cast<float*>(out) + i, x, n);
    return overflows(_mm256_cmpeq_epi32(magnitude_bits(x), all_of(0x7F800000)), value);
  } else {
    const __m128i bits = Kind == Stored::f16 ? round_f16(value) : round_bf16(value);
    store_words(static_cast<std::uint16_t*>(out) + i, bits, n);
    const __m128i infinity = _mm_set1_epi16(Kind == Stored::f16 ? 0x7C00 : 0x7F80);
    const __m128i magnitude = _mm_and_si128(bits, _mm_set1_epi16(0x7FFF));
    return overflows(_mm256_cvtepi16_epi32(_mm_cmpeq_epi16(magnitude, infinity)), value);
  }
}

std::int64_t round_to_all(Stored kind, const double* value, void* out, std::int64_t count) {
  return with_kind(kind, [&]<Stored Kind>() {
    std::int64_t lost = 0;
    for_eights(count, [&](std::int64_t i, std::int64_t n) {
      lost += round_eight<Kind>(load_doubles(value + i, n), out, i, n);
    });
    return lost;
  });
}

void squares_all(const float* x, std::int64_t count, double* lanes) {
  Sums squares(lanes);
  for_halves(count, [&](std::int64_t i, std::int64_t n, int half) {
    const Doubles wide = widen(load_floats(x + i, n));
    squares[half] = squares[half] + wide * wide;
  });
  squares.put_back();
}

void delta_sums_all(const float* base, const double* delta, std::int64_t count, double* dot_lanes,
                    double* square_lanes) {
  Sums dots(dot_lanes), squares(square_lanes);
  for_halves(count, [&](std::int64_t i, std::int64_t n, int half) {
    const Doubles d = load_doubles(delta + i, n);
    dots[half] = dots[half] + widen(load_floats(base + i, n)) * d;
    squares[half] = squares[half] + d * d;
  });
  dots.put_back();
  squares.put_back();
}

bool all_finite_all(const float* x, std::int64_t count) {
  Ints largest = all_of(0);
  for_eights(count, [&](std::int64_t i, std::int64_t n) {
    largest = _mm256_max_epi32(largest, magnitude_bits(load_floats(x + i, n)));
  });
  return is_finite(largest);
}

constexpr ElementwiseKernels kernels_named(const char* name) {
  return {name,         widen_all,   task_vector_all, take_part_all, note_part_all, add_to_base_all,
          round_to_all, squares_all, delta_sums_all,  all_finite_all};
}

}  // namespace
}  // namespace koine::backend
#endif
