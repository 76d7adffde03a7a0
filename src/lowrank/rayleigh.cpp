#include "lowrank/rayleigh.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <cblas.h>

#include "lowrank/panels.hpp"

namespace koine::lowrank {

double norm_squared(MatrixView tau) noexcept {
  constexpr std::size_t kLanes = 8;
  std::array<double, kLanes> lane{};
  const auto values = tau.flat();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double x = values[i];
    lane[i % kLanes] += x * x;
  }
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

void rayleigh_through_tau(const ShortSideFirst& side, std::int64_t rung, Workspace& workspace) {
  const std::int64_t m = side.short_side;
  const int short_side = static_cast<int>(m), columns = static_cast<int>(rung);
  const std::int64_t widest = std::min(kPanel, side.long_side);
  double* panel = workspace.panel.reserve(static_cast<std::size_t>(m * widest));
  double* right = workspace.scratch.reserve(static_cast<std::size_t>(widest * rung));
  double* images = workspace.images.reserve(static_cast<std::size_t>(m * rung));
  const double* vectors = workspace.vectors.data();
  double* values = workspace.values.data();
  std::fill_n(values, rung, 0.0);
  for (std::int64_t first = 0; first < side.long_side; first += kPanel) {
    const std::int64_t width = std::min(kPanel, side.long_side - first);
    const int rows = static_cast<int>(width);
    widen_panel(side, first, width, panel);
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, rows, columns, short_side, 1.0, panel,
                rows, vectors, short_side, 0.0, right, rows);
    cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, short_side, columns, rows, 1.0, panel,
                rows, right, rows, first == 0 ? 0.0 : 1.0, images, short_side);
    for (std::int64_t k = 0; k < rung; ++k)
      values[k] += cblas_ddot(rows, right + k * width, 1, right + k * width, 1);
  }
}

double residual_through_tau(std::int64_t short_side, std::int64_t kept, Workspace& workspace) {
  const double* values = workspace.values.data();
  double worst = 0;
  for (std::int64_t k = 0; k < kept; ++k) {
    const double* u = workspace.vectors.data() + k * short_side;
    const double* image = workspace.images.data() + k * short_side;
    double sum = 0;
    for (std::int64_t i = 0; i < short_side; ++i) {
      const double difference = image[i] - values[k] * u[i];
      sum += difference * difference;
    }
    const double residual = std::sqrt(sum) / values[0];
    if (!(residual <= worst)) worst = residual;
  }
  return worst;
}

}  // namespace koine::lowrank
