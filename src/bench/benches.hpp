#pragma once

#include "bench/lab.hpp"

/// One function per bench of the suite: measures, checks, reports its figures. `threads` matrices
/// are worked on at once, one a thread, as a merge does.
namespace koine::bench {

constexpr std::int64_t kKept = 7;      ///< the rank of every factorisation here
constexpr double kDensity = 0.2;       ///< the share of every selection here
constexpr double kTolerance = 1e-6;    ///< svd.tolerance
constexpr std::int64_t kSampled = 97;  ///< where not every entry is checked, every 97th is

void bench_gram(Lab& lab, const Shape& shape, int threads);
void bench_svd(Lab& lab, const Shape& shape, int threads);  ///< svd_fast, _certified, _exact
/// krylov, tau_block and project through tau; rounded_gram and rounded_block G of integers,
/// certificate and cholesky prove its cut.
void bench_solver(Lab& lab, const Shape& shape, int threads);
void bench_product(Lab& lab, const Shape& shape, int threads);
void bench_select(Lab& lab, const Shape& shape, int threads);  ///< kth_largest, take_kept
void bench_widen(Lab& lab, const Shape& shape, int threads);
void bench_task_vector(Lab& lab, const Shape& shape, int threads);
void bench_accumulate(Lab& lab, const Shape& shape, int threads);
void bench_add_to_base(Lab& lab, const Shape& shape, int threads);
void bench_round(Lab& lab, const Shape& shape, int threads);
void bench_fingerprint(Lab& lab, const Shape& shape, int threads);  ///< XXH3-128
void bench_sha256(Lab& lab, const Shape& shape, int threads);
void bench_read_tensor(Lab& lab, const Shape& shape, int threads);
void bench_write_shard(Lab& lab, const Shape& shape, int threads);
/// A whole merge in a process of its own; its stages; verify. Not per shape.
void bench_merge(Lab& lab, int threads);

}  // namespace koine::bench
