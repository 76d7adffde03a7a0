#include "lowrank/gram.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include <cblas.h>

#include "core/error.hpp"
#include "lowrank/panels.hpp"

namespace koine::lowrank {
namespace {

constexpr std::int64_t kLongestShortSide = 46340;  // its square still fits LAPACK's 32-bit integers

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

}  // namespace

ShortSideFirst::ShortSideFirst(MatrixView row_major_tau)
    : tau(row_major_tau),
      is_transposed(koine::is_transposed(tau.rows, tau.cols)),
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

double* widen_all(const ShortSideFirst& side, Workspace& workspace) {
  double* all = workspace.panel.reserve(as_size(side.short_side * side.long_side));
  widen_panel(side, 0, side.long_side, all);
  return all;
}

}  // namespace koine::lowrank
