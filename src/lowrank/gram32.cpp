#include "lowrank/gram32.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "core/cpu.hpp"
#include "lowrank/gram_kernels.hpp"
#include "lowrank/strips.hpp"

namespace koine::lowrank {
namespace {

// gamma_n = n u / (1 - n u), u = 2^-24; two more for adding the chains in float64.
constexpr double kGamma = (kGramChain + 2) * 0x1p-24 / (1 - (kGramChain + 2) * 0x1p-24);

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
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

/// The tile of strip `above` and strips [first, end).
GramTile tile_of(const Packed& panel, std::int64_t above, std::int64_t first, std::int64_t end,
                 double* gram) {
  const std::int64_t m = panel.rows, row = above * kStripRows, column = first * kStripRows;
  return {.left = panel.strip(above),
          .right = panel.strip(first),
          .terms = panel.terms,
          .strips = end - first,
          .rows = std::min(kStripRows, m - row),
          .cols = std::min(end * kStripRows, m) - column,
          .out = gram + row * m + column,
          .mirrored = gram + column * m + row,
          .out_step = m};
}

/// Adds A_panel A_panel^T on and right of the diagonal (row-major), after the last panel on its
/// left too.
void add_panel(const Packed& panel, Turn turn, double* gram) {
  static const GramKernel kKernel = fastest_kernel();
  for_each_tile(strips_of(panel.rows),
                [&](std::int64_t above, std::int64_t first, std::int64_t end) {
                  GramTile tile = tile_of(panel, above, first, end, gram);
                  tile.is_added = !turn.is_first;
                  if (!turn.is_last) tile.mirrored = nullptr;
                  kKernel(tile);
                });
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
  const std::int64_t terms = std::min(kGramChain, n);
  float* packed = workspace.single.reserve(as_size(strips_of(m) * kStripRows * terms));
  for (std::int64_t first = 0; first < n; first += kGramChain) {
    const std::int64_t length = std::min(kGramChain, n - first);
    for (std::int64_t strip = 0; strip < strips_of(m); ++strip)
      pack_strip(side, strip * kStripRows, first, length, packed + strip * kStripRows * length);
    add_panel({packed, m, length}, {first == 0, first + length == n}, gram);
  }
}

// |E|_F <= short long lost where each of the short^2 long terms loses so much.
bool squares_fit_float32(std::int64_t entries, double tau_squared, double lost) noexcept {
  return tau_squared < 0x1p127 && lost * static_cast<double>(entries) < kGamma * tau_squared;
}

double float32_gram_error(std::int64_t entries, double tau_squared, double lost) noexcept {
  return kGamma * tau_squared + lost * static_cast<double>(entries);
}

}  // namespace koine::lowrank
