#include "bench/suite.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bench/benches.hpp"
#include "bench/machine_rates.hpp"
#include "core/error.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "lowrank/truncated_svd.hpp"

namespace koine::bench {
namespace {

/// One row of the suite. Exactly one of the two functions is set.
struct Bench {
  const char* name;
  const char* purpose;
  void (*per_shape)(Lab&, const Shape&, int);
  void (*once)(Lab&, int);
};

void bench_triad(Lab& lab, int threads) {
  const std::int64_t count = lab.options().is_quick ? 1 << 17 : 1 << 23;
  lab.report(measure_triad(count, lab.timing(threads)));
}

constexpr double kLarge = 1e12;  // bytes: the largest buffers that a copy is measured on

const std::vector<Bench>& benches() {
  static const std::vector<Bench> kAll{
      {"dgemm", "float64 matrix products, one BLAS thread each", nullptr,
       [](Lab& lab, int threads) { (void)lab.dgemm_rate(threads); }},
      {"sgemm", "float32 matrix products", nullptr,
       [](Lab& lab, int threads) { (void)lab.sgemm_rate(threads); }},
      {"triad", "memory: a = b + s c", nullptr, bench_triad},
      {"copy", "memory: a copy", nullptr,
       [](Lab& lab, int threads) { (void)lab.copy_rate(kLarge, threads); }},
      {"page_cache_read", "reading a file that is in the page cache", nullptr,
       [](Lab& lab, int threads) { (void)lab.page_cache_rate(threads); }},
      {"write_fsync", "writing a file in the scratch folder, with fsync", nullptr,
       [](Lab& lab, int threads) { (void)lab.write_rate(threads); }},
      {"gram", "Gram matrix of the short side: gram32 and gram, in float64", bench_gram, nullptr},
      {"svd", "rank 7: svd_fast, svd_certified, svd_exact", bench_svd, nullptr},
      {"solver",
       "its parts: krylov, rounded_gram, rounded_block, certificate, cholesky, tau_block, project",
       bench_solver, nullptr},
      {"product", "low-rank product", bench_product, nullptr},
      {"select", "kth_largest and take_kept, density 0.2", bench_select, nullptr},
      {"widen", "stored weights to float32", bench_widen, nullptr},
      {"task_vector", "stored expert minus base", bench_task_vector, nullptr},
      {"accumulate", "weighted sum in float64", bench_accumulate, nullptr},
      {"add_to_base", "base plus lambda times the sum", bench_add_to_base, nullptr},
      {"round", "float64 to the output type", bench_round, nullptr},
      {"fingerprint", "XXH3-128", bench_fingerprint, nullptr},
      {"sha256", "SHA-256", bench_sha256, nullptr},
      {"read_tensor", "a tensor through checkpoint::Source", bench_read_tensor, nullptr},
      {"write_shard", "a shard: write, fsync, hashes, rename", bench_write_shard, nullptr},
      {"merge", "a whole merge and its stages", nullptr, bench_merge},
  };
  return kAll;
}

bool is_wanted(const Options& options, const std::string& name) {
  return options.only.empty() ||
         std::find(options.only.begin(), options.only.end(), name) != options.only.end();
}

void require_known(const std::vector<std::string>& names) {
  std::vector<std::string> known;
  for (const Bench& bench : benches()) known.emplace_back(bench.name);
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    throw InputError(fmt::format("--only {}: no such bench{}; there are {}", name,
                                 did_you_mean(name, known), fmt::join(known, ", ")));
  }
}

/// Benches that need no matrix: the machine's rates, which stand before the kernels, or the merges,
/// which stand after them.
void run_once(Lab& lab, bool after_kernels) {
  bool is_after = false;
  for (const Bench& bench : benches()) {
    is_after = is_after || bench.per_shape != nullptr;
    if (bench.once == nullptr || is_after != after_kernels || !is_wanted(lab.options(), bench.name))
      continue;
    for (const int threads : lab.options().threads) {
      throw_if_stopped();
      bench.once(lab, threads);
    }
  }
}

/// All kernels on one shape, then on the next: the matrices are made once.
void run_kernels(Lab& lab) {
  for (const Shape& shape : lab.options().shapes) {
    for (const int threads : lab.options().threads) {
      for (const Bench& bench : benches()) {
        if (bench.per_shape == nullptr || !is_wanted(lab.options(), bench.name)) continue;
        throw_if_stopped();
        bench.per_shape(lab, shape, threads);
      }
    }
  }
}

}  // namespace

std::vector<BenchRow> suite() {
  std::vector<BenchRow> rows;
  for (const Bench& bench : benches()) rows.push_back({bench.name, bench.purpose});
  return rows;
}

bool run_suite(const Options& options, const std::function<void(const Figure&)>& emit) {
  require_known(options.only);
  lowrank::use_one_blas_thread();
  bool is_well = true;
  Lab lab(options, [&](const Figure& figure) {
    is_well = is_well && figure.is_checked;
    emit(figure);
  });
  run_once(lab, false);
  run_kernels(lab);
  run_once(lab, true);
  return is_well;
}

}  // namespace koine::bench
