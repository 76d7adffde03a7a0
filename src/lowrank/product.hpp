#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lowrank/aligned.hpp"
#include "lowrank/product_kernels.hpp"
#include "lowrank/truncated_svd.hpp"

namespace koine::lowrank {

/// The fastest that this CPU has.
[[nodiscard]] ProductKernel fastest_product() noexcept;

using Tiles = std::vector<float, CacheLineAllocator<float>>;

/// L = U B, any rows of it at any time, with the bits of `product`. Keeps a copy of the right
/// factor and the address of the left one's values, which must stay.
class ProductRows {
 public:
  explicit ProductRows(const Factors& factors, ProductKernel kernel = fastest_product());

  /// Rows that are best made together: 8 or 16, or 64 where the right factor [kept, cols] is large.
  /// They have a multiple of kLanes (core/lanes.hpp) elements.
  [[nodiscard]] static std::int64_t best_rows(std::int64_t kept, std::int64_t cols) noexcept;
  [[nodiscard]] std::int64_t at_once() const noexcept { return at_once_; }
  [[nodiscard]] std::int64_t tiles() const noexcept;  ///< of kTileColumns, the last one narrower

  /// out [count, cols] <- rows [first, first + count). Cost: count * cols * kept fused
  /// multiply-adds.
  void make(std::int64_t first, std::int64_t count, float* out) const;
  /// out <- L, all rows of it; returns |L|_F^2 as backend::sum_of_squares adds it up.
  double make_all(std::span<float> out) const;
  /// out [kTileColumns] <- one tile of a row; what lies after the last column is zero.
  void make_tile(std::int64_t row, std::int64_t tile, float* out) const;

 private:
  [[nodiscard]] ProductTile tile_at(std::int64_t first, std::int64_t count, std::int64_t tile,
                                    float* out) const;

  ProductKernel kernel_;
  std::int64_t cols_, kept_, at_once_;
  const float* left_;
  std::int64_t row_step_, term_step_;
  Tiles right_;  ///< tiles of [kept, 64], the last one filled up with zeros
};

/// L_ij = chain of fmaf from +0 over the stored factors in order (rules::chain); row-major [rows,
/// cols] into `out`. The same bits with or without FMA hardware. Returns |L|_F^2, as
/// backend::sum_of_squares adds it up. Cost: rows * cols * kept fused multiply-adds.
/// @pre out.size() == rows * cols
double product(const Factors& factors, std::span<float> out);

/// As product, by one variant: for the tests that compare them.  @pre the variant has a kernel
double product_by(const ProductVariant& variant, const Factors& factors, std::span<float> out);

}  // namespace koine::lowrank
