#pragma once

/// The loops of block_products_kernels.hpp over a vector type: Lane has A, T, Vector, kWidth
/// (numbers of one), load, store and take (numbers of A as T), of a Whole vector or of a Part of it
/// (part(n): its first n, zeros behind them), broadcast, add, fma, and fold (the later half of the
/// lanes added to the earlier, in one call or in two); kColumns and kBlock: columns of A and
/// vectors of the block that meet at a time.

#include <immintrin.h>

#include "lowrank/block_products_kernels.hpp"

namespace koine::lowrank::block_products {

struct Whole {};

/// The sums of eight vectors of eight: lanes c and c + 4 added, then c + 2, c + 1.
[[gnu::always_inline]] static inline void put_sums(const float (*v)[8], bool is_first, float* y) {
  __m256 four[4], two[2];
  for (int j = 0; j < 4; ++j) {
    const __m256 a = _mm256_load_ps(v[j]), b = _mm256_load_ps(v[j + 4]);
    four[j] = _mm256_add_ps(_mm256_blend_ps(a, b, 0xF0), _mm256_permute2f128_ps(a, b, 0x21));
  }
  for (std::int64_t j = 0; j < 2; ++j) {
    const __m256 a = four[2 * j], b = four[2 * j + 1];
    two[j] = _mm256_add_ps(_mm256_shuffle_ps(a, b, 0x44), _mm256_shuffle_ps(a, b, 0xEE));
  }
  const __m256 sums = _mm256_add_ps(_mm256_shuffle_ps(two[0], two[1], 0x88),
                                    _mm256_shuffle_ps(two[0], two[1], 0xDD));
  _mm256_store_ps(y, is_first ? sums : _mm256_add_ps(_mm256_load_ps(y), sums));
}

/// Of eight vectors of four: lanes c and c + 2 added, then c + 1.
[[gnu::always_inline]] static inline void put_sums(const double (*v)[4], bool is_first, double* y) {
  for (int j = 0; j < 8; j += 4) {
    __m256d two[2];
    for (int i = 0; i < 2; ++i) {
      const __m256d a = _mm256_load_pd(v[j + i]), b = _mm256_load_pd(v[j + i + 2]);
      two[i] = _mm256_add_pd(_mm256_blend_pd(a, b, 0xC), _mm256_permute2f128_pd(a, b, 0x21));
    }
    const __m256d sums =
        _mm256_add_pd(_mm256_unpacklo_pd(two[0], two[1]), _mm256_unpackhi_pd(two[0], two[1]));
    _mm256_store_pd(y + j, is_first ? sums : _mm256_add_pd(_mm256_load_pd(y + j), sums));
  }
}

/// Half of the lanes of inner products.
template <typename T>
struct Folded {
  alignas(64) T lanes[kStripe][kChains<T> / 2];
};

/// Vectors of a block, `step` apart.
template <typename T>
struct Block {
  T* data;
  std::int64_t step;
};

/// One vector of every column and of the block.
template <typename Lane, int Count, typename Part>
[[gnu::always_inline]] inline void step(const Columns<typename Lane::A>& a,
                                        const Block<const typename Lane::T>& x, Part part,
                                        typename Lane::Vector (*sum)[Lane::kBlock]) {
  typename Lane::Vector of_a[Count];
  for (int k = 0; k < Count; ++k) {
    __builtin_prefetch(a.data + (k + Count) * a.step, 0, 2);  // those that come next
    of_a[k] = Lane::take(a.data + k * a.step, part);
  }
  for (int j = 0; j < Lane::kBlock; ++j) {
    const typename Lane::Vector b = Lane::load(x.data + j * x.step, part);
    for (int k = 0; k < Count; ++k) sum[k][j] = Lane::fma(of_a[k], b, sum[k][j]);
  }
}

/// Chains of kWidth lanes from `lane` on, of `Count` columns of A and vectors [at, at + kBlock).
template <typename Lane, int Count>
inline void chains(Columns<typename Lane::A> a, Block<const typename Lane::T> x, std::int64_t lane,
                   int at, Folded<typename Lane::T>* folded) {
  constexpr std::int64_t kStep = kChains<typename Lane::T>;
  typename Lane::Vector sum[Count][Lane::kBlock] = {};
  std::int64_t left = a.rows - lane;
  a.data += lane;
  x.data += at * x.step + lane;
  for (; left >= Lane::kWidth; left -= kStep, a.data += kStep, x.data += kStep)
    step<Lane, Count>(a, x, Whole{}, sum);
  if (left > 0) step<Lane, Count>(a, x, Lane::part(left), sum);
  for (int k = 0; k < Count; ++k) {
    for (int j = 0; j < Lane::kBlock; ++j)
      Lane::fold(sum[k][j], lane == 0, folded[k].lanes[at + j]);
  }
}

template <typename Lane, int Count>
inline void products_of(const Columns<typename Lane::A>& a, const Block<const typename Lane::T>& x,
                        bool is_first, typename Lane::T* y) {
  Folded<typename Lane::T> folded[Count];
  for (std::int64_t lane = 0; lane < kChains<typename Lane::T>; lane += Lane::kWidth) {
    for (int j = 0; j < kStripe; j += Lane::kBlock) chains<Lane, Count>(a, x, lane, j, folded);
  }
  for (int k = 0; k < Count; ++k) put_sums(folded[k].lanes, is_first, y + k * kStripe);
}

template <typename Lane>
void inner_products(const Columns<typename Lane::A>& a, const typename Lane::T* x,
                    typename Lane::T* y) {
  constexpr std::int64_t kRows = kRowsAtATime<typename Lane::T>;
  std::int64_t first = 0;
  do {
    const std::int64_t rows = a.rows - first < kRows ? a.rows - first : kRows;
    const Block<const typename Lane::T> block{x + first, a.rows};
    Columns<typename Lane::A> part{a.data + first, a.count, rows, a.step};
    std::int64_t k = 0;
    for (; k + Lane::kColumns <= a.count; k += Lane::kColumns) {
      products_of<Lane, Lane::kColumns>(part, block, first == 0, y + k * kStripe);
      part.data += Lane::kColumns * a.step;
    }
    for (; k < a.count; ++k, part.data += a.step)
      products_of<Lane, 1>(part, block, first == 0, y + k * kStripe);
    first += rows;
  } while (first < a.rows);
}

/// Of `Count` vectors, or a part of one, of every column of A, and kBlock vectors, `step` apart.
template <typename Lane, int Count, typename Part>
inline void combination(const Columns<typename Lane::A>& a, Part part, const typename Lane::T* y,
                        Onto onto, Block<typename Lane::T> out) {
  typename Lane::Vector sum[Lane::kBlock][Count] = {};
  const typename Lane::A* at = a.data;
  for (std::int64_t k = 0; k < a.count; ++k, at += a.step, y += kStripe) {
    typename Lane::Vector of_a[Count];
    for (int v = 0; v < Count; ++v) of_a[v] = Lane::take(at + v * Lane::kWidth, part);
    for (int j = 0; j < Lane::kBlock; ++j) {
      const typename Lane::Vector b = Lane::broadcast(y + j);
      for (int v = 0; v < Count; ++v) sum[j][v] = Lane::fma(of_a[v], b, sum[j][v]);
    }
  }
  for (int j = 0; j < Lane::kBlock; ++j) {
    for (int v = 0; v < Count; ++v) {
      typename Lane::T* to = out.data + j * out.step + v * Lane::kWidth;
      const typename Lane::Vector before =
          onto == Onto::out ? Lane::load(to, part) : typename Lane::Vector{};
      Lane::store(to, Lane::add(before, sum[j][v]), part);
    }
  }
}

template <typename Lane>
void combine(const Columns<typename Lane::A>& a, const typename Lane::T* y, Onto onto,
             typename Lane::T* out) {
  constexpr std::int64_t kWidth = Lane::kWidth, kRows = Lane::kColumns * kWidth;
  const auto rows_from = [&]<int Count>(std::int64_t first, auto part) {
    Columns<typename Lane::A> here = a;
    here.data += first;
    for (int j = 0; j < kStripe; j += Lane::kBlock)
      combination<Lane, Count>(here, part, y + j, onto, {out + j * a.rows + first, a.rows});
  };
  std::int64_t first = 0;
  for (; first + kRows <= a.rows; first += kRows)
    rows_from.template operator()<Lane::kColumns>(first, Whole{});
  for (; first + kWidth <= a.rows; first += kWidth)
    rows_from.template operator()<1>(first, Whole{});
  if (first < a.rows) rows_from.template operator()<1>(first, Lane::part(a.rows - first));
}

template <typename Lane>
BlockProducts<typename Lane::A, typename Lane::T> variant(const char* name) {
  return {name, inner_products<Lane>, combine<Lane>};
}

}  // namespace koine::lowrank::block_products
