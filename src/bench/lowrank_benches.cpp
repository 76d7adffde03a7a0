#include <algorithm>

#include "bench/benches.hpp"
#include "bench/checks.hpp"
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
    is_checked = is_checked && is_gram(in.tau(t), workspaces[as_size(t)].gram.data());
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
  for (std::size_t t = 0; t < low.size(); ++t)
    is_checked = is_checked && is_product(factors[t], low[t], kSampled);
  const Extents e(shape);
  lab.report({"product", "float32", shape, threads}, sample,
             {2 * e.m * e.n * kRank, 4 * e.m * e.n, e.m * e.n, false}, is_checked);
}

}  // namespace koine::bench
