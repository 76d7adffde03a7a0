#pragma once

/// The loops of gram16_kernels.hpp over vector types: Lane has Vector, kRegisters (vectors of a
/// pair of terms of one strip), kRows and kVectors (sums in flight), load, store, broadcast and
/// add_products (of both halves); Floats, kFloats (vectors of a term of a strip), minus_product (x
/// - a b, rounded once), Doubles, kHalves (of them in the room of a Floats) and add_squares.

#include "lowrank/gram16_kernels.hpp"

namespace koine::lowrank::gram16 {

constexpr std::int64_t kPairs = 128;  // at a time: three strips of them fit in the first cache

/// Of a tile.
struct Place {
  std::int64_t begin, end;  ///< pairs
  std::int64_t row, vector;
};

/// The sums of kRows rows and kVectors vectors from `place` on go on: sums [16, 48].
template <typename Lane>
inline void sum_products(const Gram16Tile& t, Place place, std::int32_t* sums) {
  constexpr std::int64_t kWidth = kStripRows / Lane::kRegisters;
  const TermPair* right[Lane::kVectors];
  for (int v = 0; v < Lane::kVectors; ++v) {
    const std::int64_t at = place.vector + v, strip = at / Lane::kRegisters;
    right[v] = t.right + strip * t.pairs * kStripRows + at % Lane::kRegisters * kWidth;
  }
  sums += place.row * kGramColumns + place.vector * kWidth;
  typename Lane::Vector sum[Lane::kRows][Lane::kVectors];
  for (int i = 0; i < Lane::kRows; ++i) {
    for (int v = 0; v < Lane::kVectors; ++v)
      sum[i][v] = Lane::load(sums + i * kGramColumns + v * kWidth);
  }
  const TermPair* left = t.left + place.row;
  for (std::int64_t k = place.begin * kStripRows; k < place.end * kStripRows; k += kStripRows) {
    typename Lane::Vector b[Lane::kVectors];
    for (int v = 0; v < Lane::kVectors; ++v) b[v] = Lane::load(right[v] + k);
    for (std::int64_t i = 0; i < Lane::kRows; ++i) {
      const typename Lane::Vector a = Lane::broadcast(left + k + i);
      for (int v = 0; v < Lane::kVectors; ++v) sum[i][v] = Lane::add_products(sum[i][v], a, b[v]);
    }
  }
  for (int i = 0; i < Lane::kRows; ++i) {
    for (int v = 0; v < Lane::kVectors; ++v)
      Lane::store(sums + i * kGramColumns + v * kWidth, sum[i][v]);
  }
}

template <typename Lane>
inline void add_squares(const Gram16Tile& t, const std::int32_t* sums) {
  for (std::int64_t j = 0; j < t.strips * kStripRows; ++j) t.squares[j] = 0;
  for (std::int64_t i = 0; i < kStripRows; ++i) {
    const double weight = t.weights[i];
    for (std::int64_t j = 0; j < t.strips * kStripRows; ++j) {
      const auto g = static_cast<double>(sums[i * kGramColumns + j]);
      t.squares[j] += g * g * weight;
    }
  }
}

template <typename Lane>
void tile(const Gram16Tile& t) {
  static_assert(kStripRows / Lane::kRows * Lane::kRows == kStripRows);
  alignas(64) std::int32_t sums[kStripRows * kGramColumns] = {};
  const std::int64_t vectors = t.strips * Lane::kRegisters;
  for (std::int64_t begin = 0; begin < t.pairs; begin += kPairs) {
    const std::int64_t end = begin + kPairs < t.pairs ? begin + kPairs : t.pairs;
    for (std::int64_t v = 0; v < vectors; v += Lane::kVectors) {
      for (std::int64_t row = 0; row < kStripRows; row += Lane::kRows)
        sum_products<Lane>(t, {begin, end, row, v}, sums);
    }
  }
  add_squares<Lane>(t, sums);
}

template <typename Lane>
using Squares = typename Lane::Doubles[Lane::kFloats * Lane::kHalves];  ///< one for each row

/// `Terms` terms from k on, side by side: a load of U serves them all.
template <typename Lane, int Terms>
inline void residual_of(const ResidualStrip& s, std::int64_t k, Squares<Lane>& squared) {
  constexpr int kFloats = Lane::kFloats;  // vectors of a term of the strip
  constexpr std::int64_t kWidth = kStripRows / kFloats;
  float* r = s.r + k * kStripRows;
  const float* b = s.b + k * s.kept;
  typename Lane::Floats x[Terms][kFloats];
  for (int t = 0; t < Terms; ++t) {
    for (int v = 0; v < kFloats; ++v) x[t][v] = Lane::load(r + t * kStripRows + v * kWidth);
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
    for (int v = 0; v < kFloats; ++v) {
      Lane::store(r + t * kStripRows + v * kWidth, x[t][v]);
      Lane::add_squares(x[t][v], squared + v * Lane::kHalves);
    }
  }
}

template <typename Lane>
void residual(const ResidualStrip& s) {
  constexpr int kTerms = 2;
  Squares<Lane> squared = {};
  std::int64_t k = 0;
  for (; k + kTerms <= s.terms; k += kTerms) residual_of<Lane, kTerms>(s, k, squared);
  if (k < s.terms) residual_of<Lane, 1>(s, k, squared);
  __builtin_memcpy(s.squared, squared, sizeof squared);
}

constexpr std::int64_t kRoundedTerms = 128;  // whose squares are summed in float32: right to 1e-5
constexpr float kRounder = 0x1.8p23F;        // a float of this size has no place for fractions

template <typename Lane>
void round(const RoundedStrip& s) {
  constexpr float kZeros[kStripRows] = {};
  double lost[kStripRows] = {};
  for (std::int64_t begin = 0; begin < s.terms; begin += kRoundedTerms) {
    const std::int64_t end = begin + kRoundedTerms < s.terms ? begin + kRoundedTerms : s.terms;
    float few[kStripRows] = {};
    for (std::int64_t k = begin; k < end; k += 2) {
      const float* even = s.r + k * kStripRows;
      const float* odd = k + 1 < s.terms ? even + kStripRows : kZeros;
      TermPair* q = s.q + k / 2 * kStripRows;
      for (int i = 0; i < kStripRows; ++i) {
        const float x = even[i] * s.scale[i], y = odd[i] * s.scale[i];
        const float left = x + kRounder - kRounder, right = y + kRounder - kRounder;
        few[i] += (x - left) * (x - left) + (y - right) * (y - right);
        q[i] = (static_cast<TermPair>(static_cast<std::int32_t>(left)) & 0xFFFF) |
               static_cast<TermPair>(static_cast<std::int32_t>(right)) << 16;
      }
    }
    for (int i = 0; i < kStripRows; ++i) lost[i] += static_cast<double>(few[i]);
  }
  for (int i = 0; i < kStripRows; ++i) s.lost[i] = lost[i];
}

}  // namespace koine::lowrank::gram16
