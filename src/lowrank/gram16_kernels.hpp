#pragma once

/// Tiles of Q Q^T for Q of 16-bit integers, and what is made of strips of A for it, once per
/// instruction set. Included by files built with wider instructions: no standard header with inline
/// functions may be included here.

#include <cstdint>

#include "lowrank/strip_rows.hpp"

namespace koine::lowrank {

/// Two terms of a row of Q: the first in the low half, each as 16 bits.
using TermPair = std::uint32_t;

/// A strip of Q is [pairs, 16], pairs even.
struct Gram16Tile {
  const TermPair* left;   ///< one strip
  const TermPair* right;  ///< `strips` strips, one after the other
  std::int64_t pairs, strips;
  const std::int32_t *left_inner, *right_inner;  ///< of these rows: RoundedStrip
  const double* weights;                         ///< 16, of the rows of `left`
  double* squares;                               ///< 16 * strips
};

/// Some terms of 16 rows of A - U B and what is known of them, in float64 but for R itself.
struct ResidualStrip {
  float* r;        ///< in: A [terms, 16]; out: R = A - U B
  const float* u;  ///< [kept, 16]
  const float* b;  ///< [terms, kept]
  std::int64_t terms, kept;
  double* squared;  ///< 16: += r^2 of each row
  float* largest;   ///< 16: its largest |r|, if that is larger
};

/// Rows of R times `scale`, to integers.
struct RoundedStrip {
  const float* r;      ///< [terms, 16]
  const float* scale;  ///< 16; |scale r| <= 16383
  std::int64_t terms, pairs;
  TermPair* q;          ///< [pairs, 16], filled up with 0
  double* lost;         ///< 16: sum of (scale r - q)^2 of each row, scale r as float32
  std::int32_t* inner;  ///< 16: sum of <even pair, odd pair> of each row
};

/// All variants give the same bits: integers are exact, products and sums of floats are rounded one
/// by one in order of the terms.
struct Gram16Variant {
  const char* name = "";
  /// squares[j] <- sum over i < 16, in order, of (<left_i, right_j>^2 as float64) * weights[i].
  /// @pre |q_i| < 46340 for every row: no sum leaves 32 bits (Cauchy and Schwarz); |q_ik| <= 16383
  void (*tile)(const Gram16Tile&) = nullptr;  ///< null where this build or CPU does not have it
  void (*residual)(const ResidualStrip&) = nullptr;
  void (*round)(const RoundedStrip&) = nullptr;
};

Gram16Variant gram16_portable();
#if defined(__x86_64__)
Gram16Variant gram16_avx2();
Gram16Variant gram16_avx512vnni();
#endif

/// The fastest first; the last one ("portable") is always there.
struct Gram16Variants {
  Gram16Variant all[3];
};
[[nodiscard]] const Gram16Variants& gram16_variants();

}  // namespace koine::lowrank
