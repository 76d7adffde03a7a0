#include "lowrank/gram.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include <cblas.h>

#include "core/error.hpp"
#include "core/rules.hpp"
#include "lowrank/panels.hpp"

namespace koine::lowrank {
namespace {

constexpr std::int64_t kRowsAtOnce = 32;  // rows of B made by one call; shapes the bits of B
constexpr std::int64_t kLongestShortSide = 46340;  // its square still fits LAPACK's 32-bit integers

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
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

void gram_matrix_in_single(const ShortSideFirst& side, Workspace& workspace) {
  const std::int64_t m = side.short_side;
  const int order = static_cast<int>(m), depth = static_cast<int>(side.long_side);
  double* gram = workspace.gram.reserve(as_size(m * m));
  float* single = workspace.single.reserve(as_size(m * m));
  const bool is_row_major = !side.is_transposed;  // A row-major is A^T column-major
  cblas_ssyrk(CblasColMajor, CblasLower, is_row_major ? CblasTrans : CblasNoTrans, order, depth,
              1.0F, side.tau.data, is_row_major ? depth : order, 0.0F, single, order);
  for (std::int64_t j = 0; j < m; ++j) {
    for (std::int64_t i = j; i < m; ++i) gram[j * m + i] = static_cast<double>(single[j * m + i]);
  }
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
