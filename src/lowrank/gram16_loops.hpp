#pragma once

/// The loops of gram16_kernels.hpp over vector types: Lane has Vector, kRegisters (vectors of a
/// pair of terms of one strip), kRows and kVectors (sums in flight), load, store, broadcast and
/// add_products (of both halves); Floats, kFloats (vectors of a term of a strip) and minus_product
/// (x - a b, rounded once). The rest is left to the compiler.

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
void residual(const ResidualStrip& s) {
  constexpr int kFloats = Lane::kFloats;  // vectors of a term of the strip
  constexpr std::int64_t kWidth = kStripRows / kFloats;
  double squared[kStripRows] = {};
  for (std::int64_t k = 0; k < s.terms; ++k) {
    float* r = s.r + k * kStripRows;
    typename Lane::Floats x[kFloats];
    for (int v = 0; v < kFloats; ++v) x[v] = Lane::load(r + v * kWidth);
    for (std::int64_t p = 0; p < s.kept; ++p) {
      const typename Lane::Floats b = Lane::broadcast(s.b + k * s.kept + p);
      const float* u = s.u + p * kStripRows;
      for (int v = 0; v < kFloats; ++v)
        x[v] = Lane::minus_product(x[v], Lane::load(u + v * kWidth), b);
    }
    for (int v = 0; v < kFloats; ++v) Lane::store(r + v * kWidth, x[v]);
    for (int i = 0; i < kStripRows; ++i)
      squared[i] += static_cast<double>(r[i]) * static_cast<double>(r[i]);
  }
  for (int i = 0; i < kStripRows; ++i) s.squared[i] = squared[i];
}

constexpr float kRounder = 0x1.8p23F;  // a float of this size has no place for fractions

template <typename Lane>
void round(const RoundedStrip& s) {
  constexpr float kZeros[kStripRows] = {};
  double lost[kStripRows] = {};
  for (std::int64_t k = 0; k < s.terms; k += 2) {
    const float* even = s.r + k * kStripRows;
    const float* odd = k + 1 < s.terms ? even + kStripRows : kZeros;
    TermPair* q = s.q + k / 2 * kStripRows;
    for (int i = 0; i < kStripRows; ++i) {
      const float x = even[i] * s.scale[i], y = odd[i] * s.scale[i];
      const float left = x + kRounder - kRounder, right = y + kRounder - kRounder;
      const double a = static_cast<double>(x - left), b = static_cast<double>(y - right);
      lost[i] += a * a + b * b;
      q[i] = (static_cast<TermPair>(static_cast<std::int32_t>(left)) & 0xFFFF) |
             static_cast<TermPair>(static_cast<std::int32_t>(right)) << 16;
    }
  }
  for (int i = 0; i < kStripRows; ++i) s.lost[i] = lost[i];
}

}  // namespace koine::lowrank::gram16
