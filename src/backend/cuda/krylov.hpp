#pragma once

#include "backend/cuda/lane.hpp"
#include "backend/cuda_table.hpp"

namespace koine::cuda {

/// The largest eigenpairs of every slot's G by block Lanczos with full re-orthogonalisation, all
/// slots in step; pairs and spaces of those that converged become the lane's. A slot is looked at
/// after the same blocks whatever the others do, and left as it was when it converged: its answer
/// does not depend on them. Cost a block and slot: 2 short^2 b + 8 short columns b flops, b = count
/// - 1; a batched eigenproblem of the space at every look.
/// @pre ask.count >= 2; ask.limit >= 8 (ask.count - 1)  @throws DeviceError
void krylov(Lane& lane, const backend::cuda::KrylovAsk& ask, backend::cuda::KrylovAnswer* answers);

}  // namespace koine::cuda
