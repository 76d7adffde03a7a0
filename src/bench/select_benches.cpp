#include <algorithm>

#include "bench/benches.hpp"
#include "bench/checks.hpp"
#include "lowrank/product.hpp"
#include "lowrank/truncated_svd.hpp"
#include "sparse/keep_largest.hpp"

namespace koine::bench {
namespace {

using Floats = std::vector<float>;

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

std::vector<Floats> low_parts(const Matrices& in) {
  std::vector<Floats> low;
  lowrank::Workspace workspace;
  for (std::size_t t = 0; t < in.taus.size(); ++t) {
    low.emplace_back(as_size(in.count()));
    const auto factors = lowrank::truncated_svd(in.tau(static_cast<int>(t)), {{kKept}, 0},
                                                {lowrank::Mode::fast, kTolerance}, workspace);
    lowrank::product(factors, low.back());
  }
  return low;
}

}  // namespace

void bench_select(Lab& lab, const Shape& shape, int threads) {
  const Matrices& in = lab.matrices(shape, threads);
  const std::vector<Floats> low = low_parts(in);
  const std::int64_t k = sparse::keep_count(in.count(), kDensity);
  std::vector<sparse::Threshold> found(as_size(threads));
  const auto find = [&](int thread) {
    const auto t = as_size(thread);
    found[t] = sparse::kth_largest(in.taus[t], low[t], k);
  };
  const Sample finding = measure({find, {}}, lab.timing(threads));

  std::vector<Floats> m = low;
  std::vector<std::int64_t> taken(as_size(threads));
  const auto restore = [&](int thread) {
    const auto t = as_size(thread);
    std::copy(low[t].begin(), low[t].end(), m[t].begin());
  };
  const auto take = [&](int thread) {
    const auto t = as_size(thread);
    taken[t] = sparse::take_kept(in.taus[t], m[t], found[t]);
  };
  const Sample taking = measure({take, restore}, lab.timing(threads));

  bool is_found = true, is_well = true;
  for (std::size_t t = 0; t < m.size(); ++t) {
    is_found = is_found && is_kth_largest(in.taus[t], low[t], found[t], k);
    is_well = is_well && taken[t] == k && is_taken(in.taus[t], low[t], found[t], m[t]);
  }
  const auto count = static_cast<double>(in.count());
  lab.report({"kth_largest", "float32", shape, threads}, finding,
             {.bytes = 8 * count, .elements = count}, is_found);
  lab.report({"take_kept", "float32", shape, threads}, taking,
             {.bytes = 12 * count, .elements = count}, is_well);
}

}  // namespace koine::bench
