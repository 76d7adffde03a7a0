#include "lowrank/block_products.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/cpu.hpp"

namespace koine::lowrank {
namespace {

template <typename A, typename T>
struct Portable {
  static void inner_products(const Columns<A>& a, const T* x, T* y) {
    for (std::int64_t k = 0; k < a.count; ++k) {
      for (std::int64_t j = 0; j < kStripe; ++j) {
        const A* column = a.data + k * a.step;
        T& to = y[k * kStripe + j];
        to = product(column, x + j * a.rows, std::min(a.rows, kRowsAtATime<T>));
        for (std::int64_t at = kRowsAtATime<T>; at < a.rows; at += kRowsAtATime<T>)
          to += product(column + at, x + j * a.rows + at, std::min(a.rows - at, kRowsAtATime<T>));
      }
    }
  }

  static void combine(const Columns<A>& a, const T* y, Onto onto, T* out) {
    for (std::int64_t j = 0; j < kStripe; ++j) {
      for (std::int64_t i = 0; i < a.rows; ++i) {
        T sum = 0;
        for (std::int64_t k = 0; k < a.count; ++k)
          sum = std::fma(static_cast<T>(a.data[k * a.step + i]), y[k * kStripe + j], sum);
        T& to = out[j * a.rows + i];
        to = (onto == Onto::out ? to : T{0}) + sum;
      }
    }
  }

  static T product(const A* a, const T* x, std::int64_t rows) {
    constexpr auto kCount = static_cast<std::size_t>(kChains<T>);
    std::array<T, kCount> lanes{};
    for (std::int64_t i = 0; i < rows; ++i) {
      T& lane = lanes[static_cast<std::size_t>(i) % kCount];
      lane = std::fma(static_cast<T>(a[i]), x[i], lane);
    }
    for (std::size_t half = kCount / 2; half > 0; half /= 2) {
      for (std::size_t c = 0; c < half; ++c) lanes[c] += lanes[c + half];
    }
    return lanes[0];
  }
};

template <typename A, typename T>
BlockProductsVariants<A, T> find_variants() {
  BlockProductsVariants<A, T> variants{{{"avx512"}, {"avx2"}, block_products_portable<A, T>()}};
#if defined(__x86_64__)
  if (cpu_has_avx512()) variants.all[0] = block_products_avx512<A, T>();
  if (cpu_has_avx2()) variants.all[1] = block_products_avx2<A, T>();
#endif
  return variants;
}

}  // namespace

template <typename A, typename T>
BlockProducts<A, T> block_products_portable() {
  return {"portable", Portable<A, T>::inner_products, Portable<A, T>::combine};
}

template <typename A, typename T>
const BlockProductsVariants<A, T>& block_products_variants() {
  static const BlockProductsVariants<A, T> kVariants = find_variants<A, T>();
  return kVariants;
}

template BlockProducts<float, float> block_products_portable();
template BlockProducts<double, double> block_products_portable();
template BlockProducts<float, double> block_products_portable();
template const BlockProductsVariants<float, float>& block_products_variants();
template const BlockProductsVariants<double, double>& block_products_variants();
template const BlockProductsVariants<float, double>& block_products_variants();

}  // namespace koine::lowrank
