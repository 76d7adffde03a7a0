#include "lowrank/certificate.hpp"

#include <algorithm>
#include <cmath>

#include <cblas.h>
#include <lapacke.h>

#include "lowrank/eigen.hpp"

namespace koine::lowrank {
namespace {

constexpr double kUnitRoundoff = 0x1p-53;
constexpr double kRelativeMargin = 1e-6;

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

/// |x - theta u|_2 in index order.
double distance(const double* x, const double* u, double theta, std::int64_t size) {
  double sum = 0;
  for (std::int64_t i = 0; i < size; ++i) {
    const double difference = x[i] - theta * u[i];
    sum += difference * difference;
  }
  return std::sqrt(sum);
}

}  // namespace

double rounding_floor(std::int64_t short_side, double largest) noexcept {
  return 8 * static_cast<double>(short_side) * kUnitRoundoff * largest;
}

double certificate_bound(double last_kept, double floor) noexcept {
  return last_kept + std::max(kRelativeMargin * last_kept, floor);
}

double largest_residual(std::int64_t short_side, std::int64_t kept, Workspace& workspace) {
  const int m = static_cast<int>(short_side), r = static_cast<int>(kept);
  const double* vectors = workspace.vectors.data();
  const double* values = workspace.values.data();
  double* images = workspace.scratch.reserve(as_size(short_side * kept));
  cblas_dsymm(CblasColMajor, CblasLeft, CblasLower, m, r, 1.0, workspace.gram.data(), m, vectors, m,
              0.0, images, m);
  double worst = 0;
  for (std::int64_t i = 0; i < kept; ++i) {
    const std::int64_t at = i * short_side;
    const double residual = distance(images + at, vectors + at, values[i], short_side) / values[0];
    if (!(residual <= worst)) worst = residual;
  }
  return worst;
}

double orthogonality_defect(std::int64_t short_side, std::int64_t kept, Workspace& workspace) {
  const int m = static_cast<int>(short_side), r = static_cast<int>(kept);
  double* inner = workspace.scratch.reserve(as_size(kept * kept));
  cblas_dsyrk(CblasColMajor, CblasLower, CblasTrans, r, m, 1.0, workspace.vectors.data(), m, 0.0,
              inner, r);
  double worst = 0;
  for (std::int64_t j = 0; j < kept; ++j) {
    for (std::int64_t i = j; i < kept; ++i) {
      const double defect = std::fabs(inner[j * kept + i] - (i == j ? 1.0 : 0.0));
      if (!(defect <= worst)) worst = defect;
    }
  }
  return worst;
}

bool nothing_missed_above(double c, std::int64_t short_side, std::int64_t kept,
                          Workspace& workspace) {
  const int m = static_cast<int>(short_side), r = static_cast<int>(kept);
  double* matrix = copy_of_gram(short_side, workspace);
  double* scaled = workspace.panel.reserve(as_size(short_side * kept));
  for (std::int64_t i = 0; i < kept; ++i) {
    const double root = std::sqrt(std::max(workspace.values.data()[i], 0.0));
    const double* from = workspace.vectors.data() + i * short_side;
    for (std::int64_t j = 0; j < short_side; ++j) scaled[i * short_side + j] = root * from[j];
  }
  cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, m, r, 1.0, scaled, m, -1.0, matrix, m);
  for (std::int64_t i = 0; i < short_side; ++i) matrix[i * (short_side + 1)] += c;
  return LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', m, matrix, m) == 0;
}

}  // namespace koine::lowrank
