#include "bench/checks.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/rules.hpp"
#include "lowrank/gram.hpp"

namespace koine::bench {
namespace {

using lowrank::Factors;
using lowrank::ShortSideFirst;

constexpr double kUnit = 0x1p-24;  // of float32

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

/// A's entry, A = tau or tau^T.
double entry(const ShortSideFirst& side, std::int64_t i, std::int64_t k) {
  const MatrixView& tau = side.tau;
  return tau.data[side.is_transposed ? k * tau.cols + i : i * tau.cols + k];
}

/// y = A^T u for column `k` of factors.u.
std::vector<double> transposed_times(const ShortSideFirst& side, const Factors& f, std::int64_t k) {
  std::vector<double> y(as_size(side.long_side));
  for (std::int64_t i = 0; i < side.short_side; ++i) {
    const double u = f.u[as_size(i * f.kept + k)];
    for (std::int64_t j = 0; j < side.long_side; ++j) y[as_size(j)] += u * entry(side, i, j);
  }
  return y;
}

/// |A y - theta u| for column `k` of factors.u.
double residual_of(const ShortSideFirst& side, const Factors& f, std::int64_t k,
                   const std::vector<double>& y) {
  const double theta = f.sigma[as_size(k)] * f.sigma[as_size(k)];
  double squared = 0;
  for (std::int64_t i = 0; i < side.short_side; ++i) {
    double sum = 0;
    for (std::int64_t j = 0; j < side.long_side; ++j) sum += entry(side, i, j) * y[as_size(j)];
    const double error = sum - theta * f.u[as_size(i * f.kept + k)];
    squared += error * error;
  }
  return std::sqrt(squared);
}

/// |b - y| for row `k` of factors.b.
double b_error_of(const Factors& f, std::int64_t k, const std::vector<double>& y) {
  double squared = 0;
  for (std::size_t j = 0; j < y.size(); ++j) {
    const double error = f.b[as_size(k) * y.size() + j] - y[j];
    squared += error * error;
  }
  return std::sqrt(squared);
}

}  // namespace

bool is_gram(MatrixView tau, const double* gram, double unit) {
  constexpr std::int64_t kSamples = 64;
  const ShortSideFirst side(tau);
  const std::int64_t m = side.short_side, n = side.long_side;
  const double limit = static_cast<double>(n) * unit;
  for (std::int64_t sample = 0; sample < kSamples; ++sample) {
    const std::int64_t i = (sample * 7919 + m - 1) % m, j = (sample * 104729) % (i + 1);
    double sum = 0;
    for (std::int64_t k = 0; k < n; ++k) sum += entry(side, i, k) * entry(side, j, k);
    const double size = std::sqrt(gram[i * m + i] * gram[j * m + j]);
    if (!(std::abs(gram[j * m + i] - sum) <= limit * size)) return false;
  }
  return true;
}

bool is_factorisation(MatrixView tau, const Factors& f, const Wanted& wanted) {
  if (f.kept != wanted.kept || f.rows != tau.rows || f.cols != tau.cols) return false;
  const ShortSideFirst side(tau);
  const double theta_first = f.sigma.front() * f.sigma.front();
  for (std::int64_t k = 0; k < f.kept; ++k) {
    const std::vector<double> y = transposed_times(side, f, k);
    const double residual = residual_of(side, f, k, y);
    if (!(residual <= (wanted.tolerance + 2 * kUnit) * theta_first)) return false;
    if (!(b_error_of(f, k, y) <= 4 * kUnit * std::sqrt(f.tau_squared))) return false;
  }
  return true;
}

bool is_same_spectrum(const Factors& a, const Factors& b, double tolerance) {
  if (a.kept != b.kept) return false;
  const double limit = 2 * tolerance * b.sigma.front() * b.sigma.front();
  for (std::size_t k = 0; k < as_size(a.kept); ++k) {
    if (!(std::abs(a.sigma[k] * a.sigma[k] - b.sigma[k] * b.sigma[k]) <= limit)) return false;
  }
  return true;
}

bool is_product(const Factors& f, std::span<const float> low, std::int64_t step) {
  const std::int64_t n = f.is_transposed ? f.rows : f.cols;
  for (std::int64_t at = 0; at < f.rows * f.cols; at += step) {
    const std::int64_t row = at / f.cols, col = at % f.cols;
    const std::int64_t i = f.is_transposed ? col : row, j = f.is_transposed ? row : col;
    float sum = 0;
    for (std::int64_t k = 0; k < f.kept; ++k)
      sum = rules::chain(f.u[as_size(i * f.kept + k)], f.b[as_size(k * n + j)], sum);
    if (sum != low[as_size(at)]) return false;
  }
  return true;
}

bool is_kth_largest(std::span<const float> tau, std::span<const float> low,
                    const sparse::Threshold& found, std::int64_t k) {
  std::int64_t above = 0, equal = 0;
  for (std::size_t i = 0; i < tau.size(); ++i) {
    const std::uint32_t key = rules::magnitude_key(tau[i] - low[i]);
    above += key > found.key ? 1 : 0;
    equal += key == found.key ? 1 : 0;
  }
  return found.kept == k && above < k && above + found.ties == k && found.ties <= equal;
}

bool is_taken(std::span<const float> tau, std::span<const float> low,
              const sparse::Threshold& threshold, std::span<const float> m) {
  std::int64_t ties = 0;
  for (std::size_t i = 0; i < tau.size(); ++i) {
    const std::uint32_t key = rules::magnitude_key(tau[i] - low[i]);
    const bool is_kept = key > threshold.key || (key == threshold.key && ties++ < threshold.ties);
    if (m[i] != (is_kept ? tau[i] : low[i])) return false;
  }
  return true;
}

}  // namespace koine::bench
