#pragma once

/// The per-element rules: one definition for the host and for CUDA kernels, tested on the host over
/// every fp16 and bf16 value. A kernel is only the loop around one of these.

#include <cmath>
#include <cstdint>
#include <cstring>

#if defined(__CUDACC__)
#define KOINE_HD __host__ __device__
#else
#define KOINE_HD
#endif

namespace koine::rules {

template <typename To, typename From>
KOINE_HD inline To bits_as(From from) noexcept {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof(To));
  return to;
}

/// fp16 bits -> float32, exact (subnormals, infinities and NaN payloads kept).
KOINE_HD inline float widen_f16(std::uint16_t h) noexcept {
  const std::uint32_t sign = static_cast<std::uint32_t>(h & 0x8000U) << 16U;
  const std::uint32_t exponent = (h >> 10U) & 0x1FU;
  const std::uint32_t mantissa = h & 0x3FFU;
  if (exponent == 0x1FU) return bits_as<float>(sign | 0x7F800000U | (mantissa << 13U));
  if (exponent != 0) return bits_as<float>(sign | ((exponent + 112U) << 23U) | (mantissa << 13U));
  const float magnitude = static_cast<float>(mantissa) * 5.9604644775390625e-8F;  // 2^-24, exact
  return bits_as<float>(sign | bits_as<std::uint32_t>(magnitude));
}

/// bf16 bits -> float32, exact.
KOINE_HD inline float widen_bf16(std::uint16_t b) noexcept {
  return bits_as<float>(static_cast<std::uint32_t>(b) << 16U);
}

/// float64 -> a narrower binary float of `MantissaBits` and `ExponentBits`, one rounding to nearest
/// even, in integer arithmetic (never through float32). Overflow gives infinity, NaN gives a quiet
/// NaN, subnormals are kept.
template <typename Bits, int MantissaBits, int ExponentBits>
KOINE_HD inline Bits round_to_bits(double x) noexcept {
  constexpr int kBias = (1 << (ExponentBits - 1)) - 1;
  constexpr std::uint64_t kInfinity = ((std::uint64_t{1} << ExponentBits) - 1) << MantissaBits;
  const auto u = bits_as<std::uint64_t>(x);
  const auto sign = static_cast<Bits>((u >> 63U) << (MantissaBits + ExponentBits));
  const std::uint64_t magnitude = u & 0x7FFFFFFFFFFFFFFFULL;
  if (magnitude > 0x7FF0000000000000ULL) {
    return static_cast<Bits>(sign | kInfinity | (std::uint64_t{1} << (MantissaBits - 1)));
  }
  const int exponent = static_cast<int>(magnitude >> 52U) - 1023;
  if (exponent > kBias) return static_cast<Bits>(sign | kInfinity);
  // Subnormal results lose one more bit for each step below the smallest normal exponent.
  const int below = exponent < 1 - kBias ? (1 - kBias) - exponent : 0;
  const int drop = 52 - MantissaBits + below;
  if (drop > 54) return sign;
  const std::uint64_t significand = (magnitude & 0xFFFFFFFFFFFFFULL) | 0x10000000000000ULL;
  const std::uint64_t kept = significand >> static_cast<unsigned>(drop);
  const std::uint64_t rest = significand & ((std::uint64_t{1} << static_cast<unsigned>(drop)) - 1);
  const std::uint64_t half = std::uint64_t{1} << static_cast<unsigned>(drop - 1);
  const std::uint64_t up = (rest > half || (rest == half && (kept & 1U) != 0)) ? 1 : 0;
  // With the implicit bit still in `kept`, a biased exponent one too small adds up to the right
  // field, and a carry out of the mantissa moves into the exponent by itself (up to infinity).
  const std::uint64_t field =
      below != 0 ? 0 : static_cast<std::uint64_t>(exponent + kBias - 1) << MantissaBits;
  return static_cast<Bits>(sign | (field + kept + up));
}

KOINE_HD inline std::uint16_t round_f16(double x) noexcept {
  return round_to_bits<std::uint16_t, 10, 5>(x);
}
KOINE_HD inline std::uint16_t round_bf16(double x) noexcept {
  return round_to_bits<std::uint16_t, 7, 8>(x);
}
KOINE_HD inline float round_f32(double x) noexcept {
  return static_cast<float>(x);
}

/// Task vector: tau = W_t - W_0, one float32 rounding.
KOINE_HD inline float task_vector(float expert, float base) noexcept {
  return expert - base;
}

/// One step of the low-rank chain: L_ij = fma(b_kj, u_ik, L_ij) for k = 0, 1, … from +0.
KOINE_HD inline float chain(float u, float b, float sum) noexcept {
  return ::fmaf(u, b, sum);
}

/// Selection key of |x|: monotone in the magnitude of finite values.
KOINE_HD inline std::uint32_t magnitude_key(float x) noexcept {
  return bits_as<std::uint32_t>(x) & 0x7FFFFFFFU;
}

/// A stretch of a magnitude's bits.
struct Digit {
  unsigned shift, bits;
};

/// The three digits of a selection key, from the top: 11 + 11 + 10 bits fill the word.
KOINE_HD inline constexpr Digit digit_of_key(unsigned which) noexcept {
  return which == 0 ? Digit{21, 11} : which == 1 ? Digit{10, 11} : Digit{0, 10};
}

/// Whether a key begins with the digits before `which`, which are `prefix`.
KOINE_HD inline bool begins_with(std::uint32_t key, unsigned which, std::uint32_t prefix) noexcept {
  const Digit digit = digit_of_key(which);
  return which == 0 || (key >> (digit.shift + digit.bits)) == prefix;
}

KOINE_HD inline std::uint32_t digit_value(std::uint32_t key, unsigned which) noexcept {
  const Digit digit = digit_of_key(which);
  return (key >> digit.shift) & ((1U << digit.bits) - 1U);
}

/// One digit of the search for the k-th largest key: bins[d] counts the keys that begin with `key`
/// and go on with d. `left` of them are still to be found, from the largest.
/// @pre 1 <= left <= sum of bins
template <typename Count>
KOINE_HD inline void narrow(const Count* bins, unsigned which, std::int64_t& left,
                            std::uint32_t& key) noexcept {
  const unsigned bits = digit_of_key(which).bits;
  std::uint32_t bin = (1U << bits) - 1U;
  while (static_cast<std::int64_t>(bins[bin]) < left)
    left -= static_cast<std::int64_t>(bins[bin--]);
  key = (key << bits) | bin;
}

/// Whether an entry is among the largest: above the threshold, or one of the first `ties` that lie
/// on it, `rank` of which come before it.
KOINE_HD inline bool is_kept(std::uint32_t key, std::uint32_t threshold, std::int64_t rank,
                             std::int64_t ties) noexcept {
  return key > threshold || (key == threshold && rank < ties);
}

/// sum + weight * m, product and sum rounded separately in float64.
KOINE_HD inline double accumulate(double sum, double weight, float m) noexcept {
  const double product = weight * static_cast<double>(m);
  return sum + product;
}

/// Which signs an element's M have had, with one more: bit 0 plus, bit 1 minus, bit 2 two or more
/// that are not zero. A NaN has no sign.
KOINE_HD inline std::uint8_t see_sign(std::uint8_t seen, float m) noexcept {
  const unsigned plus = m > 0 ? 1U : 0U, minus = m < 0 ? 2U : 0U, before = seen;
  const unsigned again = ((before & 3U) != 0 && (plus | minus) != 0) ? 4U : 0U;
  return static_cast<std::uint8_t>(before | plus | minus | again);
}

/// W_0 + lambda * sum, product and sum rounded separately in float64.
KOINE_HD inline double merged(double base, double lambda, double sum) noexcept {
  const double product = lambda * sum;
  return base + product;
}

}  // namespace koine::rules
