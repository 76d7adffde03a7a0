#pragma once

#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "pipeline/merge_tensor.hpp"

namespace koine::pipeline {

/// Finds the factors of the selected matrices of the given shards (by index), each process those of
/// its tasks, and keeps them where context.factors says: owners who merge afterwards find them
/// there (uncounted), or make what is missing themselves, with the same bits. Does nothing where
/// the plan does not share, or nothing is kept. Collective. @param scratch one per thread
/// @pre every process names the same shards
/// @throws as merge_tensor, StorageError
void share_factors(const Plan& plan, const std::vector<bool>& shards, const MergeContext& context,
                   std::span<Scratch> scratch, comm::Communicator& processes);

}  // namespace koine::pipeline
