#pragma once

/// The loops of gram_kernels.hpp over a vector type: Lane has Vector, kRegisters (vectors of one
/// strip), kRows and kVectors (chains in flight), load, store, broadcast and fma.

#include "lowrank/gram_kernels.hpp"

namespace koine::lowrank::gram {

/// Of a tile.
struct Place {
  std::int64_t begin, end;  ///< terms
  std::int64_t row, vector;
};

constexpr std::int64_t kTerms = 128;  // at a time: three strips of them fit in the first cache

/// The chains of kRows rows and `Vectors` vectors from `place` on: sums [16, 48] go on.
template <typename Lane, int Vectors>
inline void chains(const GramTile& t, Place place, float* sums) {
  constexpr std::int64_t kWidth = kStripRows / Lane::kRegisters;
  const float* right[Vectors];
  for (int v = 0; v < Vectors; ++v) {
    const std::int64_t at = place.vector + v, strip = at / Lane::kRegisters;
    right[v] = t.right + strip * t.terms * kStripRows + at % Lane::kRegisters * kWidth;
  }
  sums += place.row * kGramColumns + place.vector * kWidth;
  typename Lane::Vector sum[Lane::kRows][Vectors];
  for (int i = 0; i < Lane::kRows; ++i) {
    for (int v = 0; v < Vectors; ++v) sum[i][v] = Lane::load(sums + i * kGramColumns + v * kWidth);
  }
  const float* left = t.left + place.row;
  for (std::int64_t k = place.begin * kStripRows; k < place.end * kStripRows; k += kStripRows) {
    typename Lane::Vector b[Vectors];
    for (int v = 0; v < Vectors; ++v) b[v] = Lane::load(right[v] + k);
    for (int i = 0; i < Lane::kRows; ++i) {
      const typename Lane::Vector a = Lane::broadcast(left + k + i);
      for (int v = 0; v < Vectors; ++v) sum[i][v] = Lane::fma(a, b[v], sum[i][v]);
    }
  }
  for (int i = 0; i < Lane::kRows; ++i) {
    for (int v = 0; v < Vectors; ++v) Lane::store(sums + i * kGramColumns + v * kWidth, sum[i][v]);
  }
}

inline void put(const GramTile& t, const float* sums) {
  for (std::int64_t i = 0; i < t.rows; ++i) {
    double* out = t.out + i * t.out_step;
    const float* from = sums + i * kGramColumns;
    if (t.is_added) {
      for (std::int64_t j = 0; j < t.cols; ++j) out[j] += static_cast<double>(from[j]);
    } else {
      for (std::int64_t j = 0; j < t.cols; ++j) out[j] = static_cast<double>(from[j]);
    }
  }
  if (t.mirrored == nullptr) return;
  for (std::int64_t j = 0; j < t.cols; ++j) {
    for (std::int64_t i = 0; i < t.rows; ++i)
      t.mirrored[j * t.out_step + i] = t.out[i * t.out_step + j];
  }
}

/// Asks for the lines that put() will need once the chains are done.
inline void fetch(const GramTile& t) {
  constexpr std::int64_t kLine = 64 / sizeof(double);
  for (std::int64_t i = 0; i < t.rows; ++i) {
    for (std::int64_t j = 0; j < t.cols; j += kLine)
      __builtin_prefetch(t.out + i * t.out_step + j, 1);
  }
}

/// All rows of the tile from `vector` on, in turn: the strips they share stay in the first cache.
template <typename Lane, int Vectors>
inline void all_rows(const GramTile& t, Place place, float* sums) {
  for (place.row = 0; place.row < t.rows; place.row += Lane::kRows)
    chains<Lane, Vectors>(t, place, sums);
}

template <typename Lane>
inline void tile(const GramTile& t) {
  fetch(t);
  alignas(64) float sums[kStripRows * kGramColumns] = {};
  const std::int64_t vectors = t.strips * Lane::kRegisters;
  for (std::int64_t begin = 0; begin < t.terms; begin += kTerms) {
    const std::int64_t end = begin + kTerms < t.terms ? begin + kTerms : t.terms;
    std::int64_t v = 0;
    for (; v + Lane::kVectors <= vectors; v += Lane::kVectors)
      all_rows<Lane, Lane::kVectors>(t, {begin, end, 0, v}, sums);
    for (; v + 2 <= vectors; v += 2) all_rows<Lane, 2>(t, {begin, end, 0, v}, sums);
    for (; v < vectors; ++v) all_rows<Lane, 1>(t, {begin, end, 0, v}, sums);
  }
  put(t, sums);
}

}  // namespace koine::lowrank::gram
