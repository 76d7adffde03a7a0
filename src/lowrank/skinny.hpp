#pragma once

#include <algorithm>
#include <cstdint>

#include "lowrank/gram.hpp"
#include "lowrank/skinny_kernels.hpp"
#include "lowrank/truncated_svd.hpp"

namespace koine::lowrank {

/// The variant that this CPU runs fastest.
template <typename T>
const SkinnyVariant<T>& fastest_skinny() {
  static const SkinnyVariant<T> kChosen = [] {
    for (const SkinnyVariant<T>& variant : skinny_variants<T>().all) {
      if (variant.times != nullptr) return variant;
    }
    return skinny_portable<T>();
  }();
  return kChosen;
}

/// Columns [first, first + stripe) of a column-major block as a row-major stripe, filled up with 0.
template <typename T>
void take_stripe(const double* block, std::int64_t rows, std::int64_t first, std::int64_t width,
                 T* stripe) {
  const std::int64_t count = std::min(kStripe, width - first);
  const double* columns = block + first * rows;
  if (count < kStripe) std::fill_n(stripe, rows * kStripe, T{0});
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < count; ++j)
      stripe[i * kStripe + j] = static_cast<T>(columns[j * rows + i]);
  }
}

/// Back from a row-major stripe `step` wide.
template <typename T>
void put_stripe(const T* stripe, std::int64_t step, std::int64_t rows, std::int64_t count,
                double* block) {
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < count; ++j)
      block[j * rows + i] = static_cast<double>(stripe[i * step + j]);
  }
}

/// A in panels of a few columns, one after the other: tau itself where that is A^T, else a copy in
/// workspace.packed (pieces of rows that lie far apart would push each other out of the caches).
struct TauPanels {
  ShortSideFirst side;
  const float* packed = nullptr;  ///< each [short, columns] row-major; null: tau as it is

  /// Columns of A from `first` on, as many as lie together: [short, columns] row-major.
  /// @pre !side.is_transposed
  [[nodiscard]] Piece<float> columns(std::int64_t first) const;
};

/// Cost: a reading and a writing of tau, or nothing. Valid until workspace.packed is used again.
[[nodiscard]] TauPanels panels_of(const ShortSideFirst& side, Workspace& workspace);
/// What panels_of returned.  @pre workspace.packed was not used since
[[nodiscard]] TauPanels packed_panels(const ShortSideFirst& side, const Workspace& workspace);

/// image <- A A^T block, multiplied and summed in float32 (right to about 1e-7 of the largest
/// eigenvalue), without forming A A^T. block, image: [short, width] column-major, float64.
/// Cost: 4 short long width flops, one reading of the panels: one stays in the second cache for
/// both products.
void gram_times_block(const TauPanels& panels, std::int64_t width, const double* block,
                      double* image, Workspace& workspace);

/// Copies the lower triangle of a column-major [order, order] matrix to the upper one.
void mirror(std::int64_t order, double* matrix);

/// A symmetric matrix of which all of the square is filled.
struct SymmetricView {
  const double* data;
  std::int64_t order;
};

/// image <- G block. Cost: 2 order^2 width flops.
void symmetric_times_block(const SymmetricView& gram, std::int64_t width, const double* block,
                           double* image, Workspace& workspace);

}  // namespace koine::lowrank
