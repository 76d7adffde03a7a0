#pragma once

/// Products of the columns of a matrix with a block of eight vectors, once per instruction set.
/// Included by files built with wider instructions: no standard header with inline functions may be
/// included here.

#include <cstdint>

namespace koine::lowrank {

/// Columns of a matrix, `rows` entries each: column k at data + k * step.
template <typename A>
struct Columns {
  const A* data;
  std::int64_t count, rows, step;
};

/// What a kernel's result is added to.
enum class Onto : std::uint8_t { zero, out };

/// Vectors of a block that one kernel works on: those of the narrowest Krylov block.
inline constexpr std::int64_t kStripe = 8;

/// Rows whose entries of a block stay in the first cache; shapes the bits of inner products.
template <typename T>
inline constexpr std::int64_t kRowsAtATime = 24576 / (kStripe * sizeof(T));

/// Chains of an inner product: a cache line of T.
template <typename T>
inline constexpr std::int64_t kChains = 64 / sizeof(T);

/// x and out: vector j at data + j * rows; y: [count, kStripe] row-major, aligned to a cache line.
/// All variants give the same bits.
template <typename A, typename T>
struct BlockProducts {
  const char* name = "";
  /// y[k][j] <- <a_k, x_j>, kRowsAtATime added one after another: of them kChains chains of fused
  /// multiply-adds from +0, of the rows that leave the same remainder by kChains; of the chains the
  /// later half is added to the earlier, until one is left.
  void (*inner_products)(const Columns<A>& a, const T* x, T* y) = nullptr;
  /// out_j <- the chain over k of fma(a_k, y[k][j]) from +0, added to out_j or to +0.
  void (*combine)(const Columns<A>& a, const T* y, Onto onto, T* out) = nullptr;
};

/// Null kernels where the build or the CPU does not have them; the last of three is always there.
template <typename A, typename T>
struct BlockProductsVariants {
  BlockProducts<A, T> all[3];
};
template <typename A, typename T>
const BlockProductsVariants<A, T>& block_products_variants();

template <typename A, typename T>
BlockProducts<A, T> block_products_portable();
#if defined(__x86_64__)
template <typename A, typename T>
BlockProducts<A, T> block_products_avx2();
template <typename A, typename T>
BlockProducts<A, T> block_products_avx512();
#endif

}  // namespace koine::lowrank
