#include "lowrank/gram32.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "core/cpu.hpp"
#include "lowrank/gram_kernels.hpp"
#include "lowrank/skinny.hpp"

namespace koine::lowrank {
namespace {

constexpr std::int64_t kChain = 256;  // terms summed in float32; shapes the bits of G

// gamma_n = n u / (1 - n u), u = 2^-24; two more for adding the chains in float64.
constexpr double kGamma = (kChain + 2) * 0x1p-24 / (1 - (kChain + 2) * 0x1p-24);

/// |E|_F where each of the short^2 long terms loses half of float32's smallest number.
double lost_to_underflow(const ShortSideFirst& side) noexcept {
  return 0x1p-150 * static_cast<double>(side.short_side) * static_cast<double>(side.long_side);
}

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

std::int64_t strips_of(std::int64_t short_side) noexcept {
  return (short_side + kStripRows - 1) / kStripRows;
}

/// Rows [top, top + 16) of A, columns [first, first + terms): [terms, 16], filled up with zeros.
void pack_strip(const ShortSideFirst& side, std::int64_t top, std::int64_t first,
                std::int64_t terms, float* strip) {
  const std::int64_t rows = std::min(kStripRows, side.short_side - top);
  if (rows < kStripRows) std::fill_n(strip, terms * kStripRows, 0.0F);
  if (side.is_transposed) {
    const float* from = side.tau.data + first * side.short_side + top;
    for (std::int64_t k = 0; k < terms; ++k)
      std::copy_n(from + k * side.short_side, rows, strip + k * kStripRows);
    return;
  }
  const float* from = side.tau.data + top * side.long_side + first;
  for (std::int64_t k0 = 0; k0 < terms; k0 += kStripRows) {  // a cache line of every row at a time
    const std::int64_t k1 = std::min(k0 + kStripRows, terms);
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t k = k0; k < k1; ++k)
        strip[k * kStripRows + i] = from[i * side.long_side + k];
    }
  }
}

GramKernel fastest_kernel() {
  for (const GramVariant& variant : gram_variants().all) {
    if (variant.kernel != nullptr) return variant.kernel;
  }
  return gram_tile_portable;
}

/// Of a panel.
struct Turn {
  bool is_first, is_last;
};

/// A panel of A, packed in strips of 16 rows one after the other.
struct Packed {
  const float* data;
  std::int64_t rows, terms;

  [[nodiscard]] const float* strip(std::int64_t index) const {
    return data + index * terms * kStripRows;
  }
};

/// Adds A_panel A_panel^T on and right of the diagonal (row-major), after the last panel on its
/// left too. Three strips at a time meet all strips above them, so that they stay in the first
/// cache.
void add_panel(const Packed& panel, Turn turn, double* gram) {
  static const GramKernel kKernel = fastest_kernel();
  const std::int64_t m = panel.rows;
  for (std::int64_t left = 0; left < strips_of(m); left += kTileStrips) {
    const std::int64_t end = std::min(left + kTileStrips, strips_of(m));
    for (std::int64_t above = 0; above < end; ++above) {
      const std::int64_t first = std::max(left, above);
      const std::int64_t row = above * kStripRows, column = first * kStripRows;
      kKernel({.left = panel.strip(above),
               .right = panel.strip(first),
               .terms = panel.terms,
               .strips = end - first,
               .rows = std::min(kStripRows, m - row),
               .cols = std::min(end * kStripRows, m) - column,
               .out = gram + row * m + column,
               .mirrored = turn.is_last ? gram + column * m + row : nullptr,
               .out_step = m,
               .is_added = !turn.is_first});
    }
  }
}

GramVariants find_variants() {
  GramVariants variants{{{"avx512"}, {"avx2"}, {"portable", gram_tile_portable}}};
#if defined(__x86_64__)
  if (cpu_has_avx512()) variants.all[0].kernel = gram_tile_avx512;
  if (cpu_has_avx2()) variants.all[1].kernel = gram_tile_avx2;
#endif
  return variants;
}

}  // namespace

void gram_tile_portable(const GramTile& t) {
  for (std::int64_t i = 0; i < t.rows; ++i) {
    for (std::int64_t j = 0; j < t.cols; ++j) {
      const float* right = t.right + j / kStripRows * t.terms * kStripRows + j % kStripRows;
      float sum = 0;
      for (std::int64_t k = 0; k < t.terms; ++k)
        sum = std::fma(t.left[k * kStripRows + i], right[k * kStripRows], sum);
      double& out = t.out[i * t.out_step + j];
      out = t.is_added ? out + static_cast<double>(sum) : static_cast<double>(sum);
      if (t.mirrored != nullptr) t.mirrored[j * t.out_step + i] = out;
    }
  }
}

const GramVariants& gram_variants() {
  static const GramVariants kVariants = find_variants();
  return kVariants;
}

void gram_matrix_float32(const ShortSideFirst& side, Workspace& workspace) {
  const std::int64_t m = side.short_side, n = side.long_side;
  double* gram = workspace.gram.reserve(as_size(m * m));
  const std::int64_t terms = std::min(kChain, n);
  float* packed = workspace.single.reserve(as_size(strips_of(m) * kStripRows * terms));
  for (std::int64_t first = 0; first < n; first += kChain) {
    const std::int64_t length = std::min(kChain, n - first);
    for (std::int64_t strip = 0; strip < strips_of(m); ++strip)
      pack_strip(side, strip * kStripRows, first, length, packed + strip * kStripRows * length);
    add_panel({packed, m, length}, {first == 0, first + length == n}, gram);
  }
}

bool squares_fit_float32(const ShortSideFirst& side, double tau_squared) noexcept {
  return tau_squared < 0x1p127 && lost_to_underflow(side) < kGamma * tau_squared;
}

double float32_gram_error(const ShortSideFirst& side, double tau_squared) noexcept {
  return kGamma * tau_squared + lost_to_underflow(side);
}

}  // namespace koine::lowrank
