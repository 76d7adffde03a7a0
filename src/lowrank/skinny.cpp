#include "lowrank/skinny.hpp"

#include <algorithm>
#include <cmath>

#include "core/cpu.hpp"

namespace koine::lowrank {
namespace {

// Panels with all rows of the short side stay in the second cache.
constexpr std::int64_t kPanelsOfAChain = 4;  // shapes the bits of A A^T x

template <typename T>
struct Portable {
  static void times(const Piece<T>& piece, const T* in, T* out) {
    for (std::int64_t i = 0; i < piece.rows; ++i)
      add_chains({piece.data + i * piece.step, 1, piece.cols}, in, out + i * kStripe);
  }
  static void transposed_times(const Piece<T>& piece, const T* in, T* out) {
    for (std::int64_t i = 0; i < piece.cols; ++i)
      add_chains({piece.data + i, piece.step, piece.rows}, in, out + i * kStripe);
  }

  static void widen(const Piece<float>& piece, T* out) {
    for (std::int64_t i = 0; i < piece.rows; ++i)
      std::copy_n(piece.data + i * piece.step, piece.cols, out + i * piece.cols);
  }

  struct Terms {
    const T* data;
    std::int64_t step, count;
  };
  static void add_chains(const Terms& terms, const T* in, T* out) {
    for (std::int64_t begin = 0; begin < terms.count; begin += kSkinnyChain) {
      const std::int64_t end = std::min(begin + kSkinnyChain, terms.count);
      for (std::int64_t j = 0; j < kStripe; ++j) {
        T sum = 0;
        for (std::int64_t k = begin; k < end; ++k)
          sum = std::fma(terms.data[k * terms.step], in[k * kStripe + j], sum);
        out[j] += sum;
      }
    }
  }
};

/// out += A_panel (A_panel^T in). `middle` has room for A_panel^T in.
void add_panel(const TauPanels& panels, std::int64_t first, const float* in, float* middle,
               float* out) {
  const SkinnyVariant<float>& kernel = fastest_skinny<float>();
  const std::int64_t m = panels.side.short_side;
  const std::int64_t length = std::min(kTauPanel, panels.side.long_side - first);
  std::fill_n(middle, length * kStripe, 0.0F);
  if (panels.packed == nullptr) {  // tau = A^T: rows of tau are columns of A
    const Piece<float> rows{panels.side.tau.data + first * m, length, m, m};
    kernel.times(rows, in, middle);
    kernel.transposed_times(rows, middle, out);
  } else {
    const Piece<float> columns = panels.columns(first);
    kernel.transposed_times(columns, in, middle);
    kernel.times(columns, middle, out);
  }
}

/// sum <- A (A^T in). Float32 sums end with every fourth panel: their errors do not grow with the
/// long side.
void gram_times_stripe(const TauPanels& panels, const float* in, float* middle, float* out,
                       double* sum) {
  const std::int64_t count = panels.side.short_side * kStripe, n = panels.side.long_side;
  std::fill_n(sum, count, 0.0);
  for (std::int64_t first = 0; first < n; first += kPanelsOfAChain * kTauPanel) {
    std::fill_n(out, count, 0.0F);
    const std::int64_t end = std::min(first + kPanelsOfAChain * kTauPanel, n);
    for (std::int64_t at = first; at < end; at += kTauPanel) add_panel(panels, at, in, middle, out);
    for (std::int64_t i = 0; i < count; ++i) sum[i] += static_cast<double>(out[i]);
  }
}

template <typename T>
SkinnyVariants<T> find_variants() {
#if defined(__x86_64__)
  return {{cpu_has_avx512() ? skinny_avx512<T>() : SkinnyVariant<T>{"avx512"},
           cpu_has_avx2() ? skinny_avx2<T>() : SkinnyVariant<T>{"avx2"}, skinny_portable<T>()}};
#else
  return {{{"avx512"}, {"avx2"}, skinny_portable<T>()}};
#endif
}

}  // namespace

template <>
SkinnyVariant<float> skinny_portable<float>() {
  return {"portable", Portable<float>::times, Portable<float>::transposed_times};
}
template <>
SkinnyVariant<double> skinny_portable<double>() {
  return {"portable", Portable<double>::times, Portable<double>::transposed_times,
          Portable<double>::widen};
}

template <>
const SkinnyVariants<float>& skinny_variants<float>() {
  static const SkinnyVariants<float> kVariants = find_variants<float>();
  return kVariants;
}
template <>
const SkinnyVariants<double>& skinny_variants<double>() {
  static const SkinnyVariants<double> kVariants = find_variants<double>();
  return kVariants;
}

Piece<float> TauPanels::columns(std::int64_t first) const {
  const std::int64_t m = side.short_side, n = side.long_side;
  if (packed == nullptr) return {side.tau.data + first, m, n - first, n};
  const std::int64_t panel = first / kTauPanel * kTauPanel, width = std::min(kTauPanel, n - panel);
  return {packed + panel * m + first - panel, m, width - (first - panel), width};
}

TauPanels panels_of(const ShortSideFirst& side, Workspace& workspace) {
  if (side.is_transposed) return {side, nullptr};
  const std::int64_t m = side.short_side, n = side.long_side;
  auto* packed = reinterpret_cast<float*>(
      workspace.packed.reserve(static_cast<std::size_t>(m * n) * sizeof(float)));
  for (std::int64_t i = 0; i < m; ++i) {
    const float* row = side.tau.data + i * n;
    for (std::int64_t first = 0; first < n; first += kTauPanel) {
      const std::int64_t length = std::min(kTauPanel, n - first);
      std::copy_n(row + first, length, packed + first * m + i * length);
    }
  }
  return {side, packed};
}

TauPanels packed_panels(const ShortSideFirst& side, const Workspace& workspace) {
  if (side.is_transposed) return {side, nullptr};
  return {side, reinterpret_cast<const float*>(workspace.packed.data())};
}

void gram_times_block(const TauPanels& panels, std::int64_t width, const double* block,
                      double* image, Workspace& workspace) {
  const std::int64_t m = panels.side.short_side;
  const auto stripe = static_cast<std::size_t>(m * kStripe);
  float* in = workspace.single.reserve(2 * stripe + static_cast<std::size_t>(kTauPanel * kStripe));
  float* out = in + stripe;
  double* sum = workspace.stripes.reserve(stripe);
  for (std::int64_t first = 0; first < width; first += kStripe) {
    take_stripe(block, m, first, width, in);
    gram_times_stripe(panels, in, out + stripe, out, sum);
    put_stripe(sum, kStripe, m, std::min(kStripe, width - first), image + first * m);
  }
}

// Rows of a matrix may lie a multiple of 4 KiB apart, in one set of the first cache: a tile is a
// cache line wide and turned in a buffer.
void mirror(std::int64_t order, double* matrix) {
  constexpr std::int64_t kTile = 64 / sizeof(double);
  double tile[kTile][kTile];
  for (std::int64_t j0 = 0; j0 < order; j0 += kTile) {
    const std::int64_t columns = std::min(kTile, order - j0);
    for (std::int64_t i0 = j0; i0 < order; i0 += kTile) {
      const std::int64_t rows = std::min(kTile, order - i0);
      for (std::int64_t j = 0; j < columns; ++j) {
        for (std::int64_t i = 0; i < rows; ++i) tile[i][j] = matrix[(j0 + j) * order + i0 + i];
      }
      for (std::int64_t i = 0; i < rows; ++i) {
        const std::int64_t above = std::min(columns, i0 + i - j0);
        for (std::int64_t j = 0; j < above; ++j) matrix[(i0 + i) * order + j0 + j] = tile[i][j];
      }
    }
  }
}

void symmetric_times_block(const SymmetricView& gram, std::int64_t width, const double* block,
                           double* image, Workspace& workspace) {
  const std::int64_t order = gram.order;
  const auto stripe = static_cast<std::size_t>(order * kStripe);
  double* in = workspace.stripes.reserve(2 * stripe);
  double* out = in + stripe;
  for (std::int64_t first = 0; first < width; first += kStripe) {
    take_stripe(block, order, first, width, in);
    std::fill_n(out, stripe, 0.0);
    fastest_skinny<double>().times({gram.data, order, order, order}, in, out);
    put_stripe(out, kStripe, order, std::min(kStripe, width - first), image + first * order);
  }
}

}  // namespace koine::lowrank
