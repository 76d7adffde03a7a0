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
  const double *left_unit, *right_unit;          ///< what one in these rows stands for
  float* out;                                    ///< [16, 48] row-major
};

/// Some terms of 16 rows of A and what is known of them, in float64 but for the largest.
struct StripLengths {
  const float* a;  ///< [terms, 16]
  std::int64_t terms;
  double* squared;  ///< 16: += a^2 of each row
  float* largest;   ///< 16: its largest |a|, if that is larger
};

/// 16 columns of some rows of K - U U'^T.
struct StripWithout {
  const float* k;  ///< [terms, 16], rows `step` apart
  std::int64_t step, terms, kept;
  const float* u;   ///< [kept, 16], of U' for the columns
  const float* b;   ///< [terms, kept], of U for the rows
  double* squared;  ///< 16: += the square of each entry of the column
};

/// Rows of A times `scale`, to integers.
struct RoundedStrip {
  const float* a;      ///< [terms, 16]
  const float* scale;  ///< 16; |scale a| <= 16383
  std::int64_t terms, pairs;
  TermPair* q;          ///< [pairs, 16], filled up with 0
  double* lost;         ///< 16: sum of (scale a - q)^2 of each row, scale a as float32
  std::int32_t* inner;  ///< 16: sum of <even pair, odd pair> of each row
};

/// All variants give the same bits: integers are exact, products and sums of floats are rounded one
/// by one in order of the terms.
struct Gram16Variant {
  const char* name = "";
  /// out[i, j] <- <left_i, right_j> * (left_unit[i] * right_unit[j]), in float64, rounded once.
  /// @pre |q_i| < 46340 for every row: no sum leaves 32 bits (Cauchy and Schwarz); |q_ik| <= 16383
  void (*tile)(const Gram16Tile&) = nullptr;  ///< null where this build or CPU does not have it
  void (*lengths)(const StripLengths&) = nullptr;
  void (*round)(const RoundedStrip&) = nullptr;
  void (*without)(const StripWithout&) = nullptr;
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
[[nodiscard]] const Gram16Variant& fastest_gram16();

}  // namespace koine::lowrank
