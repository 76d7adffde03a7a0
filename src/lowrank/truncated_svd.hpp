#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/shape.hpp"
#include "lowrank/aligned.hpp"
#include "lowrank/krylov_space.hpp"

namespace koine::lowrank {

struct LowRank {
  std::int64_t kept = 0;  ///< singular triplets kept; never a process
  bool operator==(const LowRank&) const = default;
};

enum class Mode : std::uint8_t { exact, certified, fast };

struct SvdOptions {
  Mode mode = Mode::certified;
  double tolerance = 1e-6;  ///< |G u - theta u| <= tolerance * theta_1 for every kept triplet, G =
                            ///< tau tau^T in float64
  bool operator==(const SvdOptions&) const = default;
};

/// tau ~= U B with the `kept` largest singular triplets, in the orientation that makes U short:
/// rows < cols: tau = U B, U [rows, kept], B [kept, cols]; else tau^T = U B (is_transposed), U
/// [cols, kept], B [kept, rows]. float64 results rounded once to float32; the sign of each column
/// of U makes its largest entry positive.
struct Factors {
  std::int64_t rows = 0, cols = 0,
               kept = 0;  ///< of tau; kept <= asked (fewer where tau has no more)
  bool is_transposed = false;
  std::vector<float> u;  ///< [short side, kept] row-major
  std::vector<float> b;  ///< [kept, long side] row-major
  std::vector<double>
      sigma;  ///< singular values of the rung, descending, and the next one, which only shows the
              ///< gap: right to some 1e-4 sigma_1 (at least kept + 1 where they exist)
  double tau_squared = 0;       ///< |tau|_F^2
  double energy = 0;            ///< sum of the kept sigma^2
  double residual = 0;          ///< max over kept of |G u - theta u| / theta_1
  double gap = 0;               ///< (sigma_kept - sigma_kept+1) / sigma_1
  bool certified = false;       ///< proved: no singular value above the last kept one was missed
  std::string method;           ///< "host:krylov16", "host:krylov32", "host:krylov",
                                ///< "host:dsyevr", "host:dsyevd", "host:dgesdd",
                                ///< "cuda:krylov-gram32", "cuda:krylov", "cuda:syevd",
                                ///< "cuda:gesvdp", "cuda:gesvdj", "none"
  std::string certificate;      ///< "remainder", "cholesky", "energy"; empty where not certified
  std::int64_t iterations = 0;  ///< blocks of Krylov bases; 0 where LAPACK found the triplets
  std::int64_t fallbacks = 0;
};

/// How many triplets: a number, or the fewest that hold a share of |tau|_F^2.
struct RankTarget {
  LowRank number;
  double energy =
      0;  ///< > 0: the smallest rank that keeps this share of |tau|_F^2; `number` is not used
  bool operator==(const RankTarget&) const = default;
};

struct RungStore;  // rung.hpp
class Engine;      // engine.hpp

/// Buffers that grow to the largest matrix seen and are used again. One per thread.
/// About 2 short^2 + 512 short doubles where G is formed; with a Krylov space, short + columns more
/// for each of its columns (krylov.hpp: basis_limit), certified twice; (short + long) * rung for
/// what tau says of the vectors; short * long floats where tau is not by columns; certified: half
/// of that for a tall one in integers, short^2 for their Gram matrix and 16 long for a strip; short
/// * long doubles where a solver falls back to dgesdd.
class Workspace {
 public:
  Scratch<double> gram, vectors, panel, scratch, values, lapack, images;
  Scratch<double> stripes, right;
  Scratch<float> single;
  Scratch<std::byte> packed;  ///< tau in integers (rounded_gram.hpp), then by columns
  Scratch<int> indices;
  KrylovSpace krylov;
  Coarse coarse;
};

/// The rung that rank `kept` is cut from: 8, 16, 32, 64, 128, then `full`.
[[nodiscard]] std::int64_t rung_of(std::int64_t kept, std::int64_t full);

/// The largest singular triplets of tau (row-major). Bits depend on tau, the rung and the options
/// alone. Cost: fast: 4 short long flops in float32 for each vector of seven or eight blocks of the
/// rung's width; certified: short^2 * long / 2 for a Gram matrix of integers (rounded_gram.hpp),
/// and then 4 short long for each vector of two or three blocks; where a space does not suffice,
/// the Gram matrix and its eigensolver. Local; BLAS must run single-threaded (use_one_blas_thread).
/// A solver that fails falls back: dsyevr, dsyevd, dgesdd. With a `store`, rungs are looked for and
/// kept there: same result.
/// @pre tau is finite; rank 0 and rank >= min(rows, cols) need no SVD (contract section 5): not
/// called then
[[nodiscard]] Factors truncated_svd(MatrixView tau, const RankTarget& target,
                                    const SvdOptions& options, Workspace& workspace,
                                    const RungStore* store = nullptr);

/// The same of a task vector that lies elsewhere.
[[nodiscard]] Factors truncated_svd(Engine& engine, const RankTarget& target,
                                    const SvdOptions& options, const RungStore* store = nullptr);

/// Once per process before any factorisation: results must not depend on a thread count.
void use_one_blas_thread();
/// "OpenBLAS 0.3.21 SkylakeX": part of the manifest's arithmetic.
[[nodiscard]] std::string blas_description();

}  // namespace koine::lowrank
