#pragma once

#include <cstdint>
#include <string>

#include "lowrank/gram.hpp"
#include "lowrank/truncated_svd.hpp"

namespace koine::lowrank {

/// In the order they are tried: the wanted pairs from a Krylov space, by bisection, all pairs by
/// divide and conquer, the SVD of tau itself.
enum class Solver : std::uint8_t {
  krylov16,  ///< on a G of 16-bit integers, then from there on as krylov32
  krylov32,  ///< on tau itself, in float32, without G
  krylov,    ///< on G of gram_matrix, as all that follow
  dsyevr,
  dsyevd,
  dgesdd,
  cuda_krylov_gram32,  ///< on the GPU: on G summed in float32
  cuda_krylov,         ///< on G in float64, as cuda_syevd
  cuda_syevd,
  cuda_gesvdp,  ///< the SVD of tau itself, by a polar decomposition
  cuda_gesvdj   ///< by Jacobi's rotations
};

[[nodiscard]] constexpr bool is_krylov(Solver solver) noexcept {
  return solver <= Solver::krylov || solver == Solver::cuda_krylov_gram32 ||
         solver == Solver::cuda_krylov;
}

[[nodiscard]] constexpr bool is_on_device(Solver solver) noexcept {
  return solver >= Solver::cuda_krylov_gram32;
}

/// Whether its pairs are right to float32: tau itself then says how far, and gives the values.
[[nodiscard]] constexpr bool is_judged_by_tau(Solver solver) noexcept {
  return solver <= Solver::krylov32;
}

[[nodiscard]] std::string method_name(Solver solver);  ///< "host:dsyevr"

/// The `count` largest eigenpairs of workspace.gram (which stays as it is), descending: theta_i in
/// workspace.values, u_i in row i of workspace.vectors, each of `short` with its first largest
/// entry (as float32) positive. False where the solver did not converge. Cost: krylov.hpp; 4/3
/// short^3 flops and 2 short^2 count (dsyevr), about 9 short^3 (dsyevd), 4 long short^2 + 22
/// short^3 (dgesdd).
/// krylov16 and krylov32 stop once their residual is well below `tolerance` (SvdOptions), the
/// others go as far as theirs go. krylov16 needs rounded_gram and leaves what
/// its certificate needs in workspace.coarse.  @pre !is_on_device(solver)
[[nodiscard]] bool largest_eigenpairs(Solver solver, const ShortSideFirst& side, std::int64_t count,
                                      Workspace& workspace,
                                      double tolerance = SvdOptions{}.tolerance);

/// Whether the first of a vector's largest entries, as float32, is negative.
[[nodiscard]] bool first_largest_is_negative(const double* vector, std::int64_t size);

}  // namespace koine::lowrank
