#pragma once

#include <cstdint>

#include "backend/cuda/lane.hpp"
#include "backend/cuda_table.hpp"

/// The pairs of one slot: found by a dense solver, judged, and turned into factors. values and
/// pairs as in backend/cuda_table.hpp. All wait for their results. @throws DeviceError where the
/// device fails; what a solver says of a matrix is a value
namespace koine::cuda {

/// All eigenpairs of G by divide and conquer (about 9 short^3 flops), or the SVD of A by a polar
/// decomposition or by Jacobi's rotations; the `count` largest become the slot's. False where the
/// solver did not converge.
bool dense_pairs(Lane& lane, std::int64_t slot, backend::cuda::DenseSolver solver,
                 std::int64_t count, double* values);

struct Judgement {
  double residual = 0, defect = 0;
};
/// What A itself says in float64 of the first `count` pairs of G in float32: theta <- |A^T u|^2, on
/// the device and in `values`; A A^T u for judge. Cost: 4 short long count flops.
void judge_by_tau(Lane& lane, std::int64_t slot, std::int64_t count, double* values);

/// max |G u - theta u| / theta_1 and max |U^T U - I| over some pairs. Cost: 2 short^2 kept flops,
/// none of those after judge_by_tau.
[[nodiscard]] Judgement judge(Lane& lane, std::int64_t slot, const backend::cuda::SomePairs& some);

/// Of every slot with c > 0: whether c I - (G - sum over some pairs of theta u u^T) is positive
/// definite, by one batched Cholesky factorisation; G the one that they are of. c, is_so: one per
/// slot. Cost: short^3 / 3 flops a slot asked about.
/// @pre those slots have so many pairs
void are_definite(Lane& lane, const backend::cuda::SomePairs& some, const double* c,
                  std::int32_t* is_so);

/// u <- the vectors of ask.pairs; b <- the first `ask.width` rows of U^T A, rounded once. The
/// product is taken of all of them, so that its bits do not depend on the width.
void fetch_factors(Lane& lane, std::int64_t slot, const backend::cuda::Table::FactorsAsk& ask,
                   double* u, float* b);

}  // namespace koine::cuda
