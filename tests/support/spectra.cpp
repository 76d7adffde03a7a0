#include "support/spectra.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <stdexcept>

#include <lapacke.h>

#include "core/rules.hpp"

namespace koine::test {
namespace {

using Vector = std::vector<double>;

/// `count` orthonormal vectors of `size`: modified Gram-Schmidt, twice, on normal numbers.
std::vector<Vector> orthonormal(std::int64_t count, std::int64_t size, std::mt19937_64& generator) {
  std::normal_distribution<double> normal;
  std::vector<Vector> basis;
  while (static_cast<std::int64_t>(basis.size()) < count) {
    Vector v(static_cast<std::size_t>(size));
    for (double& x : v) x = normal(generator);
    for (int pass = 0; pass < 2; ++pass) {
      for (const Vector& b : basis) {
        double dot = 0;
        for (std::size_t i = 0; i < v.size(); ++i) dot += b[i] * v[i];
        for (std::size_t i = 0; i < v.size(); ++i) v[i] -= dot * b[i];
      }
    }
    double square = 0;
    for (const double x : v) square += x * x;
    for (double& x : v) x /= std::sqrt(square);
    basis.push_back(std::move(v));
  }
  return basis;
}

double sigma_of(Spectrum spectrum, std::int64_t j) {  // j from 1
  const auto x = static_cast<double>(j);
  switch (spectrum) {
    case Spectrum::power_half:
      return std::pow(x, -0.5);
    case Spectrum::power_two:
      return std::pow(x, -2.0);
    case Spectrum::exponential:
      return std::exp(-x / 4);
    case Spectrum::spikes:
      return j <= 10 ? 10 - 0.5 * x : 0.3;
    case Spectrum::clusters:
      return std::pow(0.6, std::floor((x - 1) / 6));
    case Spectrum::tiny:
      return 1e-30 * std::pow(x, -0.5);
    case Spectrum::huge:
      return 1e30 * std::pow(x, -0.5);
    default:
      throw std::logic_error("no list of singular values");
  }
}

std::vector<float> from_sigma(Spectrum spectrum, std::int64_t rows, std::int64_t cols,
                              std::mt19937_64& generator) {
  const std::int64_t full = std::min(rows, cols);
  const auto left = orthonormal(full, rows, generator);
  const auto right = orthonormal(full, cols, generator);
  Vector sum(static_cast<std::size_t>(rows * cols));
  for (std::size_t k = 0; k < left.size(); ++k) {
    const double sigma = sigma_of(spectrum, static_cast<std::int64_t>(k) + 1);
    for (std::size_t i = 0; i < left[k].size(); ++i) {
      const double scaled = sigma * left[k][i];
      double* row = sum.data() + i * right[k].size();
      for (std::size_t j = 0; j < right[k].size(); ++j) row[j] += scaled * right[k][j];
    }
  }
  return {sum.begin(), sum.end()};
}

float entry_of(Spectrum spectrum, std::mt19937_64& generator) {
  std::normal_distribution<double> normal;
  if (spectrum == Spectrum::flat_noise) return static_cast<float>(normal(generator));
  const double base = 0.05 * normal(generator);
  const double expert = base + 1e-4 * normal(generator);
  return rules::task_vector(rules::widen_f16(rules::round_f16(expert)),
                            rules::widen_f16(rules::round_f16(base)));
}

std::vector<float> of_rank_five(std::int64_t rows, std::int64_t cols, std::mt19937_64& generator) {
  const auto small = [&] { return static_cast<float>(generator() % 7U) - 3.0F; };
  std::vector<float> left(static_cast<std::size_t>(rows * 5)),
      right(static_cast<std::size_t>(cols * 5));
  std::generate(left.begin(), left.end(), small);
  std::generate(right.begin(), right.end(), small);
  std::vector<float> product;
  for (std::size_t i = 0; i < left.size(); i += 5) {
    for (std::size_t j = 0; j < right.size(); j += 5) {
      float sum = 0;
      for (std::size_t k = 0; k < 5; ++k) sum += left[i + k] * right[j + k];
      product.push_back(sum);
    }
  }
  return product;
}

}  // namespace

void PrintTo(const Extent& e, std::ostream* out) {
  *out << e.rows << "x" << e.cols;
}

void PrintTo(Spectrum spectrum, std::ostream* out) {
  constexpr const char* kNames[] = {"flat_noise", "power_half", "power_two", "exponential",
                                    "spikes",     "exact_rank", "clusters",  "fp16_delta",
                                    "tiny",       "huge"};
  *out << kNames[static_cast<int>(spectrum)];
}

std::vector<float> matrix_with(Spectrum spectrum, std::int64_t rows, std::int64_t cols) {
  std::mt19937_64 generator(static_cast<std::uint64_t>(rows * 4099 + cols));
  if (spectrum == Spectrum::exact_rank) return of_rank_five(rows, cols, generator);
  if (spectrum != Spectrum::flat_noise && spectrum != Spectrum::fp16_delta) {
    return from_sigma(spectrum, rows, cols, generator);
  }
  std::vector<float> matrix(static_cast<std::size_t>(rows * cols));
  for (float& x : matrix) x = entry_of(spectrum, generator);
  return matrix;
}

std::vector<double> reference_singular_values(MatrixView matrix) {
  const auto flat = matrix.flat();
  Vector copy(flat.begin(), flat.end());
  Vector sigma(static_cast<std::size_t>(std::min(matrix.rows, matrix.cols)));
  const auto rows = static_cast<lapack_int>(matrix.rows),
             cols = static_cast<lapack_int>(matrix.cols);
  const lapack_int info = LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'N', cols, rows, copy.data(), cols,
                                         sigma.data(), nullptr, cols, nullptr, rows);
  if (info != 0) throw std::runtime_error("dgesdd did not converge");
  return sigma;
}

std::vector<float> transposed(const std::vector<float>& matrix, std::int64_t rows,
                              std::int64_t cols) {
  std::vector<float> result(matrix.size());
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < cols; ++j) {
      result[static_cast<std::size_t>(j * rows + i)] =
          matrix[static_cast<std::size_t>(i * cols + j)];
    }
  }
  return result;
}

}  // namespace koine::test
