#include "lowrank/certificate.hpp"

#include <algorithm>
#include <cmath>

#include <cblas.h>
#include <lapacke.h>

#include "lowrank/lapack_pairs.hpp"

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

/// Sum of squares in eight chains, which the compiler keeps side by side.
double squares(const double* x, std::int64_t size) {
  constexpr std::int64_t kChains = 8;
  double sums[kChains] = {};
  std::int64_t i = 0;
  for (; i + kChains <= size; i += kChains) {
    for (std::int64_t c = 0; c < kChains; ++c) sums[c] += x[i + c] * x[i + c];
  }
  for (; i < size; ++i) sums[0] += x[i] * x[i];
  double sum = 0;
  for (const double chain : sums) sum += chain;
  return sum;
}

/// |A|_F^2 of a symmetric matrix from one triangle of it, column-major.
double symmetric_norm_squared(const double* a, std::int64_t lead, std::int64_t order, bool lower) {
  double sum = 0;
  for (std::int64_t j = 0; j < order; ++j) {
    const double* column = a + j * lead;
    const double diagonal = column[j];
    const double off = lower ? squares(column + j + 1, order - j - 1) : squares(column, j);
    sum += diagonal * diagonal + 2 * off;
  }
  return sum;
}

/// The first pairs, vectors of length `rows` one after the other.
struct Pairs {
  std::int64_t rows, kept;
  const double *values, *vectors;
};

/// Columns sqrt(theta_i) x_i, [rows, kept], in workspace.panel.
double* scaled_by_roots(const Pairs& pairs, Workspace& workspace) {
  const auto& [rows, kept, values, vectors] = pairs;
  double* scaled = workspace.panel.reserve(as_size(rows * kept));
  for (std::int64_t i = 0; i < kept; ++i) {
    const double root = std::sqrt(std::max(values[i], 0.0));
    for (std::int64_t j = i * rows; j < (i + 1) * rows; ++j) scaled[j] = root * vectors[j];
  }
  return scaled;
}

/// An upper bound of |D|_F, rounding included; `whole` is |G|_F^2.
double remainder_norm(std::int64_t short_side, double whole, const KrylovSpace& space) {
  const double coupling = squares(space.coupling.data(), space.coupling_rows * space.last_width);
  const double inside =
      symmetric_norm_squared(space.projection.data(), space.lead, space.columns, false) +
      2 * coupling;
  return std::sqrt(std::max(whole - inside, 0.0) + rounding_floor(short_side, whole));
}

/// Sum of kept theta y y^T - H - [B^T B / weight]: the upper triangle of [columns, columns], in
/// workspace.scratch.
double* deflated_projection(std::int64_t kept, double weight, const KrylovSpace& space,
                            Workspace& workspace) {
  const std::int64_t k = space.columns, w = space.last_width;
  double* matrix = workspace.scratch.reserve(as_size(k * k));
  const double* scaled =
      scaled_by_roots({k, kept, space.ritz_values.data(), space.ritz.data()}, workspace);
  for (std::int64_t j = 0; j < k; ++j)
    std::copy_n(space.projection.data() + j * space.lead, j + 1, matrix + j * k);
  const int order = static_cast<int>(k), width = static_cast<int>(w);
  const int rows = static_cast<int>(space.coupling_rows);
  if (rows > 0) {
    cblas_dsyrk(CblasColMajor, CblasUpper, CblasTrans, width, rows, 1 / weight,
                space.coupling.data(), rows, 1.0, matrix + (k - w) * (k + 1), order);
  }
  cblas_dsyrk(CblasColMajor, CblasUpper, CblasNoTrans, order, static_cast<int>(kept), 1.0, scaled,
              order, -1.0, matrix, order);
  return matrix;
}

/// |H Y|_F^2, |Y^T H Y|_F^2 and the largest entry of |Y^T Y - I|, Y the first pairs' vectors.
struct Shares {
  double images = 0, inside = 0, defect = 0;
};

Shares shares_of(std::int64_t pairs, const KrylovSpace& space, Workspace& workspace) {
  const std::int64_t k = space.columns;
  const int order = static_cast<int>(k), count = static_cast<int>(pairs);
  const double* y = space.ritz.data();
  double* images = workspace.scratch.reserve(as_size((k + 2 * pairs) * pairs));
  double* inside = images + k * pairs;
  double* inner = inside + pairs * pairs;
  cblas_dsymm(CblasColMajor, CblasLeft, CblasUpper, order, count, 1.0, space.projection.data(),
              static_cast<int>(space.lead), y, order, 0.0, images, order);
  const auto multiply = [&](const double* other, double* product) {
    cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, count, count, order, 1.0, y, order, other,
                order, 0.0, product, count);
  };
  multiply(images, inside);
  multiply(y, inner);
  Shares shares{squares(images, k * pairs), squares(inside, pairs * pairs), 0};
  for (std::int64_t i = 0; i < pairs * pairs; ++i) {
    const double defect = std::fabs(inner[i] - (i % (pairs + 1) == 0 ? 1.0 : 0.0));
    if (!(defect <= shares.defect)) shares.defect = defect;  // NaN too
  }
  return shares;
}

/// |M, sqrt(2) C|_F, rounding taken off: what the space shows of G without its first `rung` pairs,
/// M = (I - Y Y^T) H (I - Y Y^T). Y is within pairs * defect of an orthonormal one (its polar
/// factor), which changes |M|_F^2 by 8 |H|_F^2 times that at most.
double shown_without(std::int64_t rung, const KrylovSpace& space, Workspace& workspace) {
  const std::int64_t pairs = std::min(rung, space.pairs);
  const double all =
      symmetric_norm_squared(space.projection.data(), space.lead, space.columns, false);
  const Shares shares = shares_of(pairs, space, workspace);
  double shown = all - 2 * shares.images + shares.inside +
                 2 * squares(space.coupling.data(), space.coupling_rows * space.last_width);
  for (std::int64_t i = 0; i < pairs; ++i) {
    const double residual = space.ritz_residuals.data()[i];
    shown -= 2 * residual * residual;
  }
  const double away = static_cast<double>(pairs) * shares.defect;
  const double unsure = 8 * away * all + rounding_floor(space.columns, all);
  return std::sqrt(std::max(shown - unsure, 0.0));
}

/// Whether c I - M - B^T B / (c - d) is positive definite, M = H - sum of kept theta y y^T.
bool none_above(double c, double d, std::int64_t kept, const KrylovSpace& space,
                Workspace& workspace) {
  if (!(d < c)) return false;
  const std::int64_t k = space.columns;
  double* matrix = deflated_projection(std::min(kept, space.pairs), c - d, space, workspace);
  for (std::int64_t i = 0; i < k; ++i) matrix[i * (k + 1)] += c;
  return LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'U', static_cast<lapack_int>(k), matrix,
                             static_cast<lapack_int>(k)) == 0;
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
    if (std::isnan(residual)) return residual;
    worst = std::max(worst, residual);
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
      if (std::isnan(defect)) return defect;
      worst = std::max(worst, defect);
    }
  }
  return worst;
}

bool nothing_missed_above(double c, std::int64_t short_side, std::int64_t kept,
                          Workspace& workspace) {
  const int m = static_cast<int>(short_side), r = static_cast<int>(kept);
  double* matrix = copy_of_gram(short_side, workspace);
  const double* scaled = scaled_by_roots(
      {short_side, kept, workspace.values.data(), workspace.vectors.data()}, workspace);
  cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, m, r, 1.0, scaled, m, -1.0, matrix, m);
  for (std::int64_t i = 0; i < short_side; ++i) matrix[i * (short_side + 1)] += c;
  return LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', m, matrix, m) == 0;
}

bool nothing_missed_outside(double c, std::int64_t short_side, std::int64_t kept,
                            Workspace& workspace, const double* gram_squared) {
  // H and B are right to rounding: half of the floor that c lies above the last value is for that.
  c -= rounding_floor(short_side, workspace.values.data()[0]) / 2;
  const double whole =
      gram_squared != nullptr
          ? *gram_squared
          : symmetric_norm_squared(workspace.gram.data(), short_side, short_side, true);
  const KrylovSpace& space = workspace.krylov;
  return none_above(c, remainder_norm(short_side, whole, space), kept, space, workspace);
}

double space_error(const FromProducts& known, const KrylovSpace& space) noexcept {
  return std::sqrt(2 * static_cast<double>(space.columns)) * known.product_error;
}

double remainder_from_products(const FromProducts& known, const KrylovSpace& space,
                               Workspace& workspace) {
  const double shown =
      std::max(shown_without(known.rung, space, workspace) - space_error(known, space), 0.0);
  const double whole = known.without * known.without;
  return std::sqrt(std::max(whole - shown * shown, 0.0));
}

// NOLINTNEXTLINE(readability-function-size): a bound, a space, what is known of both, and room
bool nothing_missed_by_products(double c, std::int64_t short_side, std::int64_t kept,
                                const FromProducts& known, const KrylovSpace& space,
                                Workspace& workspace) {
  c -= space_error(known, space) + rounding_floor(short_side, space.ritz_values.data()[0]) / 2;
  const double d = remainder_from_products(known, space, workspace);
  return none_above(c, d, kept, space, workspace);
}

}  // namespace koine::lowrank
