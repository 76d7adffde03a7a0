#include "lowrank/gram.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include <cblas.h>

#include "core/error.hpp"
#include "core/rules.hpp"

namespace koine::lowrank {
namespace {

constexpr std::int64_t kPanel = 1024;  // columns of A widened at a time; shapes the bits of G and B
constexpr std::int64_t kRowsAtOnce = 32;  // rows of B made by one call; shapes the bits of B
constexpr std::int64_t kTile = 32;        // of the transposition
constexpr std::int64_t kLongestShortSide = 46340;  // its square still fits LAPACK's 32-bit integers

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

void widen_rows(const ShortSideFirst& side, std::int64_t first, std::int64_t width, double* panel) {
  for (std::int64_t i = 0; i < side.short_side; ++i) {
    const float* from = side.tau.data + i * side.long_side + first;
    double* to = panel + i * width;
    for (std::int64_t j = 0; j < width; ++j) to[j] = static_cast<double>(from[j]);
  }
}

void widen_columns(const ShortSideFirst& side, std::int64_t first, std::int64_t width,
                   double* panel) {
  const std::int64_t m = side.short_side;
  const float* from = side.tau.data + first * m;
  for (std::int64_t j0 = 0; j0 < width; j0 += kTile) {
    const std::int64_t j1 = std::min(j0 + kTile, width);
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t j = j0; j < j1; ++j)
        panel[i * width + j] = static_cast<double>(from[j * m + i]);
    }
  }
}

/// Columns [first, first + width) of A in float64: panel [short, width] row-major.
void widen_panel(const ShortSideFirst& side, std::int64_t first, std::int64_t width,
                 double* panel) {
  if (side.is_transposed) {
    widen_columns(side, first, width, panel);
  } else {
    widen_rows(side, first, width, panel);
  }
}

struct Block {
  std::int64_t width, rows, stride;
};

void round_rows(const double* from, const Block& block, float* to) {
  for (std::int64_t k = 0; k < block.rows; ++k) {
    for (std::int64_t j = 0; j < block.width; ++j) {
      to[k * block.stride + j] = rules::round_f32(from[k * block.width + j]);
    }
  }
}

}  // namespace

ShortSideFirst::ShortSideFirst(MatrixView row_major_tau)
    : tau(row_major_tau),
      is_transposed(tau.rows > tau.cols),
      short_side(std::min(tau.rows, tau.cols)),
      long_side(std::max(tau.rows, tau.cols)) {
  if (short_side > kLongestShortSide || long_side > std::numeric_limits<int>::max()) {
    throw InputError(
        "a matrix of shape [" + std::to_string(tau.rows) + ", " + std::to_string(tau.cols) +
        "] is too large to factorise: its short side may be " + std::to_string(kLongestShortSide) +
        " at most; leave it out of `select` or give it rank 0");
  }
}

double gram_matrix(const ShortSideFirst& side, Workspace& workspace) {
  const std::int64_t m = side.short_side;
  const int order = static_cast<int>(m);
  double* gram = workspace.gram.reserve(as_size(m * m));
  double* panel = workspace.panel.reserve(as_size(m * std::min(kPanel, side.long_side)));
  for (std::int64_t first = 0; first < side.long_side; first += kPanel) {
    const std::int64_t width = std::min(kPanel, side.long_side - first);
    const int depth = static_cast<int>(width);
    widen_panel(side, first, width, panel);
    cblas_dsyrk(CblasColMajor, CblasLower, CblasTrans, order, depth, 1.0, panel, depth,
                first == 0 ? 0.0 : 1.0, gram, order);
  }
  double trace = 0;
  for (std::int64_t i = 0; i < m; ++i) trace += gram[i * (m + 1)];
  return trace;
}

void project(const ShortSideFirst& side, std::int64_t rung, std::span<float> b,
             Workspace& workspace) {
  const std::int64_t m = side.short_side;
  const std::int64_t n = side.long_side;
  const std::int64_t kept = static_cast<std::int64_t>(b.size()) / n;
  const std::int64_t block = std::min(kRowsAtOnce, rung);
  double* panel = workspace.panel.reserve(as_size(m * std::min(kPanel, n)));
  double* product = workspace.scratch.reserve(as_size(block * std::min(kPanel, n)));
  for (std::int64_t first = 0; first < n; first += kPanel) {
    const std::int64_t width = std::min(kPanel, n - first);
    const int columns = static_cast<int>(width);
    widen_panel(side, first, width, panel);
    for (std::int64_t k0 = 0; k0 < kept; k0 += block) {
      const std::int64_t rows = std::min(block, rung - k0);
      cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, static_cast<int>(rows), columns,
                  static_cast<int>(m), 1.0, workspace.vectors.data() + k0 * m, static_cast<int>(m),
                  panel, columns, 0.0, product, columns);
      round_rows(product, {width, std::min(rows, kept - k0), n}, b.data() + k0 * n + first);
    }
  }
}

double* widen_all(const ShortSideFirst& side, Workspace& workspace) {
  double* all = workspace.panel.reserve(as_size(side.short_side * side.long_side));
  widen_panel(side, 0, side.long_side, all);
  return all;
}

}  // namespace koine::lowrank
