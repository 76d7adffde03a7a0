#pragma once

/// The loops of gram16_kernels.hpp over vector types. Lane has Vector, kRegisters (vectors of a
/// pair of terms of one strip), kRows and kVectors (sums in flight), load, store, broadcast and
/// add_products (of two pairs of terms), and whether that kCrosses them; Floats, kFloats (vectors
/// of a term of a strip), broadcast, minus_product (x - a b, rounded once) and larger (of x and
/// |y|); Doubles, kHalves (of them in the room of a Floats) and add_squares. The rest is left to
/// the compiler.

#include "lowrank/gram16_kernels.hpp"

namespace koine::lowrank::gram16 {

constexpr std::int64_t kPairs = 128;  // at a time: three strips of them fit in the first cache

/// Of a tile.
struct Place {
  std::int64_t begin, end;  ///< pairs
  std::int64_t row, vector;
};

/// Two pairs of terms, the even one first.
template <typename Lane>
struct Pairs {
  typename Lane::Vector even, odd;
};

/// The sums of kRows rows and `Vectors` vectors from `place` on go on: sums [16, 48].
template <typename Lane, int Vectors>
inline void sum_products(const Gram16Tile& t, Place place, std::int32_t* sums) {
  constexpr std::int64_t kWidth = kStripRows / Lane::kRegisters;
  const TermPair* right[Vectors];
  for (int v = 0; v < Vectors; ++v) {
    const std::int64_t at = place.vector + v, strip = at / Lane::kRegisters;
    right[v] = t.right + strip * t.pairs * kStripRows + at % Lane::kRegisters * kWidth;
  }
  sums += place.row * kGramColumns + place.vector * kWidth;
  typename Lane::Vector sum[Lane::kRows][Vectors];
  for (int i = 0; i < Lane::kRows; ++i) {
    for (int v = 0; v < Vectors; ++v) sum[i][v] = Lane::load(sums + i * kGramColumns + v * kWidth);
  }
  const TermPair* left = t.left + place.row;
  for (std::int64_t k = place.begin * kStripRows; k < place.end * kStripRows; k += 2 * kStripRows) {
    Pairs<Lane> b[Vectors];
    for (int v = 0; v < Vectors; ++v)
      b[v] = {Lane::load(right[v] + k), Lane::load(right[v] + k + kStripRows)};
    for (std::int64_t i = 0; i < Lane::kRows; ++i) {
      const Pairs<Lane> a{Lane::broadcast(left + k + i),
                          Lane::broadcast(left + k + kStripRows + i)};
      for (int v = 0; v < Vectors; ++v) sum[i][v] = Lane::add_products(sum[i][v], a, b[v]);
    }
  }
  for (int i = 0; i < Lane::kRows; ++i) {
    for (int v = 0; v < Vectors; ++v) Lane::store(sums + i * kGramColumns + v * kWidth, sum[i][v]);
  }
}

template <typename Lane, int Vectors>
inline void sum_products_of_rows(const Gram16Tile& t, Place place, std::int32_t* sums) {
  for (; place.row < kStripRows; place.row += Lane::kRows)
    sum_products<Lane, Vectors>(t, place, sums);
}

/// What sums begin with. (a + b')(a' + b) = ab + a'b' + aa' + bb': four products for two, if those
/// of a row with itself are taken off (Winograd 1968). Wrapping round 32 bits on the way is no
/// harm.
template <typename Lane>
inline void begin_sums(const Gram16Tile& t, std::int32_t* sums) {
  for (std::int64_t i = 0; i < kStripRows; ++i) {
    for (std::int64_t j = 0; j < t.strips * kStripRows; ++j) {
      const auto inner = static_cast<std::uint32_t>(t.left_inner[i]) +
                         static_cast<std::uint32_t>(t.right_inner[j]);
      sums[i * kGramColumns + j] = Lane::kCrosses ? static_cast<std::int32_t>(0U - inner) : 0;
    }
  }
}

template <typename Lane>
inline void put_products(const Gram16Tile& t, const std::int32_t* sums) {
  for (std::int64_t i = 0; i < kStripRows; ++i) {
    const double unit = t.left_unit[i];
    for (std::int64_t j = 0; j < t.strips * kStripRows; ++j) {
      const auto g = static_cast<double>(sums[i * kGramColumns + j]);
      t.out[i * kGramColumns + j] = static_cast<float>(g * (unit * t.right_unit[j]));
    }
  }
}

template <typename Lane>
void tile(const Gram16Tile& t) {
  static_assert(kStripRows % Lane::kRows == 0);
  alignas(64) std::int32_t sums[kStripRows * kGramColumns];
  begin_sums<Lane>(t, sums);
  const std::int64_t vectors = t.strips * Lane::kRegisters;
  for (std::int64_t begin = 0; begin < t.pairs; begin += kPairs) {
    const std::int64_t end = begin + kPairs < t.pairs ? begin + kPairs : t.pairs;
    std::int64_t v = 0;
    for (; v + Lane::kVectors <= vectors; v += Lane::kVectors)
      sum_products_of_rows<Lane, Lane::kVectors>(t, {begin, end, 0, v}, sums);
    for (; v < vectors; ++v) sum_products_of_rows<Lane, 1>(t, {begin, end, 0, v}, sums);
  }
  put_products<Lane>(t, sums);
}

template <typename Lane>
void lengths(const StripLengths& s) {
  constexpr int kFloats = Lane::kFloats;  // vectors of a term of the strip
  constexpr std::int64_t kWidth = kStripRows / kFloats;
  typename Lane::Doubles squared[kFloats * Lane::kHalves];
  typename Lane::Floats largest[kFloats];
  static_assert(sizeof squared == kStripRows * sizeof(double) &&
                sizeof largest == kStripRows * sizeof(float));
  __builtin_memcpy(squared, s.squared, sizeof squared);
  __builtin_memcpy(largest, s.largest, sizeof largest);
  for (std::int64_t k = 0; k < s.terms; ++k) {
    for (int v = 0; v < kFloats; ++v) {
      const typename Lane::Floats x = Lane::load(s.a + k * kStripRows + v * kWidth);
      Lane::add_squares(x, squared + v * Lane::kHalves);
      largest[v] = Lane::larger(largest[v], x);
    }
  }
  __builtin_memcpy(s.squared, squared, sizeof squared);
  __builtin_memcpy(s.largest, largest, sizeof largest);
}

/// `Terms` terms from k on, side by side: a load of U' serves them all.
template <typename Lane, int Terms>
inline void squares_without(const StripWithout& s, std::int64_t k,
                            typename Lane::Doubles* squared) {
  constexpr int kFloats = Lane::kFloats;  // vectors of a term of the strip
  constexpr std::int64_t kWidth = kStripRows / kFloats;
  const float* b = s.b + k * s.kept;
  typename Lane::Floats x[Terms][kFloats];
  for (int t = 0; t < Terms; ++t) {
    for (int v = 0; v < kFloats; ++v) x[t][v] = Lane::load(s.k + (k + t) * s.step + v * kWidth);
  }
  for (std::int64_t p = 0; p < s.kept; ++p) {
    typename Lane::Floats u[kFloats];
    for (int v = 0; v < kFloats; ++v) u[v] = Lane::load(s.u + p * kStripRows + v * kWidth);
    for (int t = 0; t < Terms; ++t) {
      const typename Lane::Floats factor = Lane::broadcast(b + t * s.kept + p);
      for (int v = 0; v < kFloats; ++v) x[t][v] = Lane::minus_product(x[t][v], u[v], factor);
    }
  }
  for (int t = 0; t < Terms; ++t) {
    for (int v = 0; v < kFloats; ++v) Lane::add_squares(x[t][v], squared + v * Lane::kHalves);
  }
}

template <typename Lane>
void without(const StripWithout& s) {
  constexpr int kTerms = 2;
  typename Lane::Doubles squared[Lane::kFloats * Lane::kHalves];
  __builtin_memcpy(squared, s.squared, sizeof squared);
  std::int64_t k = 0;
  for (; k + kTerms <= s.terms; k += kTerms) squares_without<Lane, kTerms>(s, k, squared);
  if (k < s.terms) squares_without<Lane, 1>(s, k, squared);
  __builtin_memcpy(s.squared, squared, sizeof squared);
}

constexpr std::int64_t kRoundedPairs = 64;  // whose squares are summed in float32: right to 1e-5
constexpr float kRounder = 0x1.8p23F;       // a float of this size has no place for fractions

/// x to an integer; `lost` grows by the square of what that takes away.
template <typename Lane>
inline std::int32_t rounded(float x, float& lost) {
  const float whole = x + kRounder - kRounder;
  lost += (x - whole) * (x - whole);
  return static_cast<std::int32_t>(whole);
}

/// Two pairs of terms of every row: x [4, 16] or, of terms that are not there, zeros.
template <typename Lane>
inline void round_pairs(const float* const* x, const float* scale, TermPair* q, float* lost,
                        std::int32_t* inner) {
  for (int i = 0; i < kStripRows; ++i) {
    const std::int32_t a = rounded<Lane>(x[0][i] * scale[i], lost[i]);
    const std::int32_t b = rounded<Lane>(x[1][i] * scale[i], lost[i]);
    const std::int32_t c = rounded<Lane>(x[2][i] * scale[i], lost[i]);
    const std::int32_t d = rounded<Lane>(x[3][i] * scale[i], lost[i]);
    q[i] = (static_cast<TermPair>(a) & 0xFFFF) | static_cast<TermPair>(b) << 16;
    q[i + kStripRows] = (static_cast<TermPair>(c) & 0xFFFF) | static_cast<TermPair>(d) << 16;
    inner[i] += a * c + b * d;
  }
}

template <typename Lane>
void round(const RoundedStrip& s) {
  constexpr float kZeros[kStripRows] = {};
  std::int32_t inner[kStripRows] = {};
  for (int i = 0; i < kStripRows; ++i) s.lost[i] = 0;
  for (std::int64_t begin = 0; begin < s.pairs; begin += kRoundedPairs) {
    const std::int64_t end = begin + kRoundedPairs < s.pairs ? begin + kRoundedPairs : s.pairs;
    float lost[kStripRows] = {};
    for (std::int64_t p = begin; p < end; p += 2) {
      const float* x[4];
      for (std::int64_t t = 0; t < 4; ++t)
        x[t] = 2 * p + t < s.terms ? s.a + (2 * p + t) * kStripRows : kZeros;
      round_pairs<Lane>(x, s.scale, s.q + p * kStripRows, lost, inner);
    }
    for (int i = 0; i < kStripRows; ++i) s.lost[i] += static_cast<double>(lost[i]);
  }
  for (int i = 0; i < kStripRows; ++i) s.inner[i] = inner[i];
}

}  // namespace koine::lowrank::gram16
