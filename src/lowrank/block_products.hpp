#pragma once

#include <cstdint>

#include "lowrank/block_products_kernels.hpp"

namespace koine::lowrank {

/// The variant that this CPU runs fastest.
template <typename A, typename T>
const BlockProducts<A, T>& fastest_products() {
  static const BlockProducts<A, T> kChosen = [] {
    for (const BlockProducts<A, T>& variant : block_products_variants<A, T>().all) {
      if (variant.inner_products != nullptr) return variant;
    }
    return block_products_portable<A, T>();
  }();
  return kChosen;
}

/// to[i * kStripe + j] <- from[j * rows + i], i < rows, j < width <= kStripe.
template <typename To>
void rows_of_block(const double* from, std::int64_t rows, std::int64_t width, To* to) {
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < width; ++j)
      to[i * kStripe + j] = static_cast<To>(from[j * rows + i]);
  }
}

/// to[j * rows + i] <- from[i * kStripe + j].
inline void columns_of_block(const double* from, std::int64_t rows, std::int64_t width,
                             double* to) {
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < width; ++j) to[j * rows + i] = from[i * kStripe + j];
  }
}

}  // namespace koine::lowrank
