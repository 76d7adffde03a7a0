#pragma once

/// Products of a wide matrix with a block of few columns, once per instruction set. Included by
/// files built with wider instructions: no standard header with inline functions may be included
/// here.

#include <cstdint>

namespace koine::lowrank {

/// A row-major piece of a matrix, [rows, cols], rows `step` elements apart.
template <typename T>
struct Piece {
  const T* data;
  std::int64_t rows, cols, step;
};

/// Columns of a block that one kernel works on: those of the narrowest Krylov block.
inline constexpr std::int64_t kStripe = 8;

/// Terms of a product that are summed at a time; shapes its bits.
inline constexpr std::int64_t kSkinnyChain = 128;

/// Columns of a panel of a packed matrix; shapes the bits of products with it.
inline constexpr std::int64_t kTauPanel = 64;

/// One stripe: in and out are [.., kStripe] row-major, aligned to a row of it. To every element of
/// `out` chains of kSkinnyChain fused multiply-adds from +0 are added, both in order of the summed
/// index, so that all variants give the same bits, and rounding grows with the chain, not the sum.
template <typename T>
using SkinnyKernel = void (*)(const Piece<T>& piece, const T* in, T* out);

template <typename T>
struct SkinnyVariant {
  const char* name = "";
  SkinnyKernel<T> times = nullptr;             ///< out [rows, ..] += piece in [cols, ..]
  SkinnyKernel<T> transposed_times = nullptr;  ///< out [cols, ..] += piece^T in [rows, ..]
  void (*widen)(const Piece<float>& piece,
                T* out) = nullptr;  ///< out [rows, cols] <- piece; float64
};

/// Null kernels where the build or the CPU does not have them; the last of three is always there.
template <typename T>
struct SkinnyVariants {
  SkinnyVariant<T> all[3];
};
template <typename T>
const SkinnyVariants<T>& skinny_variants();

template <typename T>
SkinnyVariant<T> skinny_portable();
#if defined(__x86_64__)
template <typename T>
SkinnyVariant<T> skinny_avx2();
template <typename T>
SkinnyVariant<T> skinny_avx512();
#endif

}  // namespace koine::lowrank
