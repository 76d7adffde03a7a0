#include <algorithm>
#include <cmath>

#include "bench/benches.hpp"
#include "bench/checks.hpp"
#include "lowrank/certificate.hpp"
#include "lowrank/eigen.hpp"
#include "lowrank/gram.hpp"
#include "lowrank/gram32.hpp"
#include "lowrank/product.hpp"
#include "lowrank/rounded_gram.hpp"
#include "lowrank/rounded_products.hpp"
#include "lowrank/rounded_proof.hpp"
#include "lowrank/tau_block.hpp"
#include "lowrank/through_tau.hpp"
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

constexpr double kUnit32 = 0x1p-23, kUnit64 = 0x1p-52;
constexpr double kRank = static_cast<double>(kKept);
constexpr std::int64_t kRungKept = 8;  // the rung of rank 7
constexpr double kRung = static_cast<double>(kRungKept);
constexpr std::int64_t kBlock = 8;  // vectors of a block at that rung

// What docs/benchmarks.md derives. Each reads the float32 matrix once.
Work gram_work(const Extents& e) {
  return {.flops = e.m * e.m * e.n, .bytes = 4 * e.m * e.n + 8 * e.m * e.m};
}
Work gram32_work(const Extents& e) {
  return {.flops32 = e.m * e.m * e.n, .bytes = 4 * e.m * e.n + 8 * e.m * e.m};
}
Work projection_work(const Extents& e) {
  return {.flops = 2 * e.m * e.n * kRung, .bytes = 4 * e.m * e.n};
}
/// A^T U and A A^T U.
double judging_flops(const Extents& e) {
  return 4 * e.m * e.n * kRung;
}
/// A block through tau and back, in float32.
Work block_work(const Extents& e, double vectors) {
  return {.flops32 = 4 * e.m * e.n * vectors, .bytes = 4 * e.m * e.n};
}
/// Block Lanczos on tau: the products, of the last block half of one, two passes against all
/// earlier vectors, and tau's judgement.
Work krylov_work(const Extents& e, double vectors) {
  Work work = block_work(e, vectors - kRung / 2);
  work.flops = 4 * e.m * vectors * vectors + judging_flops(e);
  return work;
}
/// G of 16-bit integers: two of them in the time of a float.
Work rounded_gram_work(const Extents& e) {
  return {.flops32 = e.m * e.m * e.n / 2, .bytes = 4 * e.m * e.n + 4 * e.m * e.m};
}
/// A block times K.
Work rounded_block_work(const Extents& e, double vectors) {
  return {.flops32 = 2 * e.m * e.m * vectors, .bytes = 4 * e.m * e.m};
}
Work sum_of(const Work& a, const Work& b) {
  return {.flops = a.flops + b.flops, .flops32 = a.flops32 + b.flops32, .bytes = a.bytes + b.bytes};
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
    if (!is_same_spectrum(made[t], exact[t], kTolerance) ||
        (needs_certificate && !made[t].certified))
      return false;
  }
  return is_factorisation(in.tau(0), made.front(), {kKept, kTolerance});
}

constexpr double kFloat32 = 1e-5, kRounding = 1e-2;  // relative errors of products with G and K

/// The first column of A A^T block against a plain product with G (lower triangle).
// NOLINTNEXTLINE(readability-function-size): a product's operands, its result, and how right it is
bool is_image(const double* block, const double* gram, std::int64_t m,
              const std::vector<double>& image, double relative) {
  double error = 0, size = 0;
  for (std::int64_t i = 0; i < m; ++i) {
    double sum = 0;
    for (std::int64_t j = 0; j < m; ++j)
      sum += (i >= j ? gram[j * m + i] : gram[i * m + j]) * block[j];
    error += (image[as_size(i)] - sum) * (image[as_size(i)] - sum);
    size += sum * sum;
  }
  return error <= relative * relative * size;
}

/// K against the lower triangle of G: |K - G|_F <= (2 |A|_2 + |E|_F) |E|_F, |E| < 1e-3 |A|.
bool is_rounded_gram(const Workspace& w, std::int64_t m, double tau_squared) {
  double squared = 0;
  for (std::int64_t j = 0; j < m; ++j) {
    for (std::int64_t i = j; i < m; ++i) {
      const auto entry = static_cast<double>(lowrank::rounded_entry(m, i, j, w));
      const double off = entry - w.gram.data()[j * m + i];
      squared += (i == j ? 1 : 2) * off * off;
    }
  }
  const double lost = w.coarse.lost, largest = std::sqrt(w.values.data()[0]);
  return lost < 1e-3 * std::sqrt(tau_squared) &&
         std::sqrt(squared) <= (2 * largest + lost) * lost + w.coarse.error;
}

/// What a factorisation of one matrix consists of, each step by itself.
struct SolverParts {
  ShortSideFirst side;
  Workspace workspace, for_blocks;
  lowrank::TauProducts products;  // of for_blocks, where tau lies by columns
  double tau_squared;
  std::vector<double> image, rounded_image;
  bool is_found = false, is_ready = false, is_proved = false, is_decided = false;

  explicit SolverParts(MatrixView tau)
      : side(tau),
        products(side, for_blocks),
        tau_squared(lowrank::gram_matrix(side, workspace)),
        image(as_size(side.short_side * kBlock)),
        rounded_image(image.size()) {
    krylov();
    rounded_gram();
    is_ready = is_found && lowrank::largest_eigenpairs(lowrank::Solver::krylov16, side,
                                                       kRungKept + 1, workspace);
    if (is_ready) lowrank::project_and_judge(side, kRungKept, workspace);
  }
  void krylov() {
    is_found =
        lowrank::largest_eigenpairs(lowrank::Solver::krylov32, side, kRungKept + 1, for_blocks);
  }
  void rounded_gram() { lowrank::rounded_gram(side, workspace); }
  void rounded_block() {
    lowrank::rounded_times_block(side.short_side, kBlock, workspace.krylov.basis.data(),
                                 rounded_image.data(), workspace);
  }
  void certificate() {
    const double* values = workspace.values.data();
    const double g = values[kKept - 1] - kTolerance * values[0];
    is_proved = lowrank::no_more_above(g, side.short_side, kKept, kRungKept, workspace);
  }
  void cholesky() {
    const double* values = workspace.values.data();
    const double bound = lowrank::certificate_bound(
        values[kKept - 1], lowrank::rounding_floor(side.short_side, values[0]));
    is_decided = lowrank::nothing_missed_above(bound, side.short_side, kKept, workspace);
  }
  void block() { products.times_block(kBlock, workspace.krylov.basis.data(), image.data()); }
  void project() { lowrank::project(side, kRungKept, workspace); }
};

}  // namespace

void bench_gram(Lab& lab, const Shape& shape, int threads) {
  const Matrices& in = lab.matrices(shape, threads);
  std::vector<Workspace> single(as_size(threads)), twice(as_size(threads));
  const auto in_float32 = [&](int thread) {
    lowrank::gram_matrix_float32(ShortSideFirst(in.tau(thread)), single[as_size(thread)]);
  };
  const auto in_float64 = [&](int thread) {
    (void)lowrank::gram_matrix(ShortSideFirst(in.tau(thread)), twice[as_size(thread)]);
  };
  const std::vector<Task> tasks{{in_float32, {}}, {in_float64, {}}};
  const std::vector<Sample> samples = measure(tasks, lab.timing(threads));
  const auto all_right = [&](std::vector<Workspace>& made, double unit) {
    bool is_right = true;
    for (int t = 0; t < threads; ++t)
      is_right = is_right && is_gram(in.tau(t), made[as_size(t)].gram.data(), unit);
    return is_right;
  };
  const Extents e(shape);
  lab.report({"gram32", "float32", shape, threads}, samples[0], gram32_work(e),
             all_right(single, kUnit32));
  lab.report({"gram", "float32", shape, threads}, samples[1], gram_work(e),
             all_right(twice, kUnit64));
}

void bench_svd(Lab& lab, const Shape& shape, int threads) {
  const Matrices& in = lab.matrices(shape, threads);
  std::vector<Workspace> workspaces(as_size(threads));
  Made fast(as_size(threads)), certified(as_size(threads)), exact(as_size(threads));
  const std::vector<Task> tasks{factorise(in, Mode::fast, workspaces, fast),
                                factorise(in, Mode::certified, workspaces, certified),
                                factorise(in, Mode::exact, workspaces, exact)};
  const std::vector<Sample> samples = measure(tasks, lab.timing(threads));
  const bool fast_well = all_well(in, fast, exact, false);
  const bool certified_well = all_well(in, certified, exact, true);
  const bool exact_well = all_well(in, exact, exact, true);

  const Extents e(shape);
  const auto vectors = [](const Made& made) {
    return static_cast<double>(kBlock * std::max<std::int64_t>(made.front().iterations, 1));
  };
  const auto report = [&](const char* name, const Sample& sample, const Work& work, bool is_well) {
    lab.report({name, "float32", shape, threads}, sample, work, is_well);
  };
  report("svd_fast", samples[0], krylov_work(e, vectors(fast)), fast_well);
  // Most blocks are multiplied by K, the last two or three by tau.
  const double through_tau = 2 * kRung, through_k = vectors(certified) - through_tau;
  const Work spaces = sum_of(krylov_work(e, through_tau), rounded_block_work(e, through_k));
  report("svd_certified", samples[1], sum_of(rounded_gram_work(e), spaces), certified_well);
  const Work tridiagonalised{.flops = 4 * e.m * e.m * e.m / 3};
  report("svd_exact", samples[2], sum_of(gram_work(e), tridiagonalised), exact_well);
}

void bench_solver(Lab& lab, const Shape& shape, int threads) {
  const Matrices& in = lab.matrices(shape, threads);
  std::vector<SolverParts> parts;
  parts.reserve(as_size(threads));
  for (int t = 0; t < threads; ++t) {
    parts.emplace_back(in.tau(t));
    if (!parts.back().is_ready)
      return;  // too small or too flat for a space: there is nothing to measure
  }
  const auto task = [&parts](void (SolverParts::*step)()) {
    return Task{[&parts, step](int t) { (parts[as_size(t)].*step)(); }, {}};
  };
  const std::vector<Task> tasks{task(&SolverParts::krylov),        task(&SolverParts::rounded_gram),
                                task(&SolverParts::rounded_block), task(&SolverParts::certificate),
                                task(&SolverParts::cholesky),      task(&SolverParts::block),
                                task(&SolverParts::project)};
  const std::vector<Sample> samples = measure(tasks, lab.timing(threads));
  const Extents e(shape);
  const auto report = [&](const char* name, const Sample& sample, const Work& work, bool is_well) {
    lab.report({name, "float32", shape, threads}, sample, work, is_well);
  };
  const SolverParts& first = parts.front();
  const std::int64_t m = first.side.short_side;
  const double* block = first.workspace.krylov.basis.data();
  const auto v = static_cast<double>(first.for_blocks.krylov.columns);
  const bool are_found = std::ranges::all_of(parts, &SolverParts::is_found);
  report("krylov", samples[0], krylov_work(e, v), are_found);
  report("rounded_gram", samples[1], rounded_gram_work(e),
         is_rounded_gram(first.workspace, m, first.tau_squared));
  report("rounded_block", samples[2], rounded_block_work(e, static_cast<double>(kBlock)),
         is_image(block, first.workspace.gram.data(), m, first.rounded_image, kRounding));
  // What the space cannot prove, Cholesky decides: no contradiction, and the space proves one.
  const bool is_never_wrong = std::ranges::none_of(
      parts, [](const SolverParts& p) { return p.is_proved && !p.is_decided; });
  const auto k = static_cast<double>(first.workspace.coarse.space.columns);
  report("certificate", samples[3], {.flops = k * k * k / 3, .bytes = 8 * k * k},
         is_never_wrong && std::ranges::any_of(parts, &SolverParts::is_proved));
  report("cholesky", samples[4], {.flops = e.m * e.m * e.m / 3, .bytes = 8 * e.m * e.m},
         std::ranges::all_of(parts, &SolverParts::is_decided));
  report("tau_block", samples[5], block_work(e, static_cast<double>(kBlock)),
         is_image(block, first.workspace.gram.data(), m, first.image, kFloat32));
  report("project", samples[6], projection_work(e), true);
}

void bench_product(Lab& lab, const Shape& shape, int threads) {
  const Matrices& in = lab.matrices(shape, threads);
  std::vector<Factors> factors;
  factors.reserve(as_size(threads));
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
  for (std::size_t t = 0; t < low.size(); ++t)
    is_checked = is_checked && is_product(factors[t], low[t], kSampled);
  const Extents e(shape);
  lab.report({"product", "float32", shape, threads}, sample,
             {.flops32 = 2 * e.m * e.n * kRank, .bytes = 4 * e.m * e.n, .elements = e.m * e.n},
             is_checked);
}

}  // namespace koine::bench
