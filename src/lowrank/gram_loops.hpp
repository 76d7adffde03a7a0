#pragma once

/// The loops of gram_kernels.hpp over a vector type: Lane has Vector, kRegisters (vectors of one
/// strip), kRows and kStrips (chains in flight), zero, load, store, broadcast and fma.

#include "lowrank/gram_kernels.hpp"

namespace koine::lowrank::gram {

/// `Strips` strips of kRows rows: sums [.., 48].
template <typename Lane, int Strips>
inline void chains(const float* left, const float* right, std::int64_t terms, float* sums) {
  constexpr int kVectors = Strips * Lane::kRegisters;
  constexpr int kWidth = static_cast<int>(kStripRows) / Lane::kRegisters;
  typename Lane::Vector sum[Lane::kRows][kVectors];
  for (int i = 0; i < Lane::kRows; ++i) {
    for (int v = 0; v < kVectors; ++v) sum[i][v] = Lane::zero();
  }
  for (std::int64_t k = 0; k < terms; ++k, left += kStripRows, right += kStripRows) {
    typename Lane::Vector b[kVectors];
    for (int v = 0; v < kVectors; ++v) {
      const int strip = v / Lane::kRegisters, part = v % Lane::kRegisters;
      b[v] = Lane::load(right + strip * terms * kStripRows + part * kWidth);
    }
    for (int i = 0; i < Lane::kRows; ++i) {
      const typename Lane::Vector a = Lane::broadcast(left + i);
      for (int v = 0; v < kVectors; ++v) sum[i][v] = Lane::fma(a, b[v], sum[i][v]);
    }
  }
  for (int i = 0; i < Lane::kRows; ++i) {
    for (int v = 0; v < kVectors; ++v)
      Lane::store(sums + i * kTileColumns32 + v * kWidth, sum[i][v]);
  }
}

inline void put(const GramTile& t, const float* sums) {
  for (std::int64_t i = 0; i < t.rows; ++i) {
    double* out = t.out + i * t.out_step;
    const float* from = sums + i * kTileColumns32;
    if (t.is_added) {
      for (std::int64_t j = 0; j < t.cols; ++j) out[j] += static_cast<double>(from[j]);
    } else {
      for (std::int64_t j = 0; j < t.cols; ++j) out[j] = static_cast<double>(from[j]);
    }
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

template <typename Lane>
inline void tile(const GramTile& t) {
  fetch(t);
  alignas(64) float sums[kTileRows * kTileColumns32];
  const std::int64_t strip_size = t.terms * kStripRows;
  for (std::int64_t i = 0; i < kTileRows; i += Lane::kRows) {
    float* to = sums + i * kTileColumns32;
    std::int64_t strip = 0;
    for (; strip + Lane::kStrips <= t.strips; strip += Lane::kStrips)
      chains<Lane, Lane::kStrips>(t.left + i, t.right + strip * strip_size, t.terms,
                                  to + strip * kStripRows);
    for (; strip < t.strips; ++strip)
      chains<Lane, 1>(t.left + i, t.right + strip * strip_size, t.terms, to + strip * kStripRows);
  }
  put(t, sums);
}

}  // namespace koine::lowrank::gram
