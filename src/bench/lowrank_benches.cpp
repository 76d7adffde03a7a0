#include <algorithm>
#include <cmath>

#include "bench/benches.hpp"
#include "core/rules.hpp"
#include "lowrank/gram.hpp"
#include "lowrank/product.hpp"
#include "lowrank/truncated_svd.hpp"

namespace koine::bench {
namespace {

using lowrank::Factors;
using lowrank::Mode;
using lowrank::ShortSideFirst;
using lowrank::Workspace;

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

/// Extents as doubles: m short, n long.
struct Extents {
  double m, n;
  explicit Extents(const Shape& shape)
      : m(static_cast<double>(std::min(shape.front(), shape.back()))),
        n(static_cast<double>(std::max(shape.front(), shape.back()))) {}
};

constexpr double kRank = static_cast<double>(kKept);

// What docs/benchmarks.md derives. Each reads the float32 matrix once.
Work gram_work(const Extents& e) {
  return {e.m * e.m * e.n, 4 * e.m * e.n + 8 * e.m * e.m, 0, true};
}
Work solver_work(const Extents& e) {
  return {2 * e.m * e.m * kRank + 2 * e.m * e.n * kRank, 8 * e.m * e.m + 4 * e.m * e.n, 0, true};
}
Work certificate_work(const Extents& e) {
  return {e.m * e.m * e.m / 3, 8 * e.m * e.m, 0, true};
}
Work sum_of(const Work& a, const Work& b) {
  return {a.flops + b.flops, a.bytes + b.bytes, 0, true};
}

/// A's entry, A = tau or tau^T.
double entry(const ShortSideFirst& side, std::int64_t i, std::int64_t k) {
  const MatrixView& tau = side.tau;
  return tau.data[side.is_transposed ? k * tau.cols + i : i * tau.cols + k];
}

/// Sampled entries of the lower triangle against plain dot products of rows of A: |error| <= 2 n u
/// |a_i| |a_j|.
bool is_gram(const ShortSideFirst& side, const double* gram) {
  const std::int64_t m = side.short_side, n = side.long_side;
  const double limit = static_cast<double>(n) * 2.3e-16;
  for (std::int64_t sample = 0; sample < 64; ++sample) {
    const std::int64_t i = (sample * 7919 + m - 1) % m, j = (sample * 104729) % (i + 1);
    double sum = 0;
    for (std::int64_t k = 0; k < n; ++k) sum += entry(side, i, k) * entry(side, j, k);
    const double size = std::sqrt(gram[i * m + i] * gram[j * m + j]);
    if (!(std::abs(gram[j * m + i] - sum) <= limit * size)) return false;
  }
  return true;
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

/// For every kept triplet, by its definition: |A A^T u - theta u| <= tolerance theta_1, and row k
/// of B equals u^T A, with what rounding U to float32 (2^-24 of its length) may add to either.
bool is_factorisation(MatrixView tau, const Factors& f) {
  const ShortSideFirst side(tau);
  const double theta_first = f.sigma.front() * f.sigma.front();
  for (std::int64_t k = 0; k < f.kept; ++k) {
    const std::vector<double> y = transposed_times(side, f, k);
    const double theta = f.sigma[as_size(k)] * f.sigma[as_size(k)];
    double residual = 0, b_error = 0;
    for (std::int64_t i = 0; i < side.short_side; ++i) {
      double sum = 0;
      for (std::int64_t j = 0; j < side.long_side; ++j) sum += entry(side, i, j) * y[as_size(j)];
      const double error = sum - theta * f.u[as_size(i * f.kept + k)];
      residual += error * error;
    }
    for (std::int64_t j = 0; j < side.long_side; ++j) {
      const double error = f.b[as_size(k * side.long_side + j)] - y[as_size(j)];
      b_error += error * error;
    }
    if (!(std::sqrt(residual) <= (kTolerance + 1.2e-7) * theta_first)) return false;
    if (!(std::sqrt(b_error) <= 2.4e-7 * std::sqrt(f.tau_squared))) return false;
  }
  return f.kept == kKept;
}

/// Kept singular values of two modes: each theta is within tolerance * theta_1 of an eigenvalue.
bool agree(const Factors& a, const Factors& b) {
  const double limit = 2 * kTolerance * b.sigma.front() * b.sigma.front();
  for (std::size_t k = 0; k < as_size(std::min(a.kept, b.kept)); ++k) {
    if (!(std::abs(a.sigma[k] * a.sigma[k] - b.sigma[k] * b.sigma[k]) <= limit)) return false;
  }
  return a.kept == b.kept;
}

/// What a mode made of every thread's matrix.
using Made = std::vector<Factors>;

Task factorise(const Matrices& in, Mode mode, std::vector<Workspace>& workspaces, Made& made) {
  const auto run = [&in, mode, &workspaces, &made](int thread) {
    made[as_size(thread)] = lowrank::truncated_svd(in.tau(thread), {{kKept}, 0}, {mode, kTolerance},
                                                   workspaces[as_size(thread)]);
  };
  return {run, {}};
}

bool all_well(const Matrices& in, const Made& made, const Made& exact, bool needs_certificate) {
  for (std::size_t t = 0; t < made.size(); ++t) {
    if (!agree(made[t], exact[t]) || (needs_certificate && !made[t].certified)) return false;
  }
  return is_factorisation(in.tau(0), made.front());
}

}  // namespace

void bench_gram(Lab& lab, const Shape& shape, int threads) {
  const Matrices& in = lab.matrices(shape, threads);
  std::vector<Workspace> workspaces(as_size(threads));
  const auto run = [&](int thread) {
    (void)lowrank::gram_matrix(ShortSideFirst(in.tau(thread)), workspaces[as_size(thread)]);
  };
  const Sample sample = measure({run, {}}, lab.timing(threads));
  bool is_checked = true;
  for (int t = 0; t < threads; ++t) {
    is_checked =
        is_checked && is_gram(ShortSideFirst(in.tau(t)), workspaces[as_size(t)].gram.data());
  }
  lab.report({"gram", "float32", shape, threads}, sample, gram_work(Extents(shape)), is_checked);
}

void bench_svd(Lab& lab, const Shape& shape, int threads) {
  const Matrices& in = lab.matrices(shape, threads);
  std::vector<Workspace> workspaces(as_size(threads));
  Made fast(as_size(threads)), certified(as_size(threads)), exact(as_size(threads));
  const auto gram = [&](int thread) {
    (void)lowrank::gram_matrix(ShortSideFirst(in.tau(thread)), workspaces[as_size(thread)]);
  };
  const std::vector<Task> tasks{{gram, {}},
                                factorise(in, Mode::fast, workspaces, fast),
                                factorise(in, Mode::certified, workspaces, certified),
                                factorise(in, Mode::exact, workspaces, exact)};
  const std::vector<Sample> samples = measure(tasks, lab.timing(threads));
  const bool fast_well = all_well(in, fast, exact, false);
  const bool certified_well = all_well(in, certified, exact, true);
  const bool exact_well = all_well(in, exact, exact, true);

  const Extents e(shape);
  const Work solved = sum_of(gram_work(e), solver_work(e));
  const Work tridiagonalised{4 * e.m * e.m * e.m / 3, 0, 0, true};
  const auto report = [&](const char* name, const Sample& sample, const Work& work, bool is_well) {
    lab.report({name, "float32", shape, threads}, sample, work, is_well);
  };
  report("svd_fast", samples[1], solved, fast_well);
  report("svd_certified", samples[2], sum_of(solved, certificate_work(e)), certified_well);
  report("svd_exact", samples[3], sum_of(solved, tridiagonalised), exact_well);
  report("solver", difference(samples[1], samples[0]), solver_work(e), fast_well);
  report("certificate", difference(samples[2], samples[1]), certificate_work(e), certified_well);
}

void bench_product(Lab& lab, const Shape& shape, int threads) {
  const Matrices& in = lab.matrices(shape, threads);
  std::vector<Factors> factors;
  Workspace workspace;
  for (int t = 0; t < threads; ++t)
    factors.push_back(
        lowrank::truncated_svd(in.tau(t), {{kKept}, 0}, {Mode::fast, kTolerance}, workspace));
  std::vector<std::vector<float>> low(as_size(threads), std::vector<float>(as_size(in.count())));
  const auto run = [&](int thread) {
    lowrank::product(factors[as_size(thread)], low[as_size(thread)]);
  };
  const Sample sample = measure({run, {}}, lab.timing(threads));

  bool is_checked = true;
  for (std::size_t t = 0; t < low.size(); ++t) {
    const Factors& f = factors[t];
    const std::int64_t n = std::max(f.rows, f.cols);
    for (std::int64_t at = 0; at < in.count(); at += kSampled) {
      const std::int64_t row = at / f.cols, col = at % f.cols;
      const std::int64_t i = f.is_transposed ? col : row, j = f.is_transposed ? row : col;
      float sum = 0;
      for (std::int64_t k = 0; k < f.kept; ++k)
        sum = rules::chain(f.u[as_size(i * f.kept + k)], f.b[as_size(k * n + j)], sum);
      is_checked = is_checked && sum == low[t][as_size(at)];
    }
  }
  const Extents e(shape);
  lab.report({"product", "float32", shape, threads}, sample,
             {2 * e.m * e.n * kRank, 4 * e.m * e.n, e.m * e.n, false}, is_checked);
}

}  // namespace koine::bench
