#pragma once

#include "pipeline/plan.hpp"

namespace koine::pipeline {

/// Fills every shard's owner by cost: longest processing time first (Graham 1969: at most 4/3 of
/// what is possible), then, as long as it helps, one shard of the busiest process for one of
/// another's or for none. Ties by name, then by index, so that every process decides the same.
/// O(shards (shards + processes)) an exchange.
void assign_owners(Plan& plan, int processes);

}  // namespace koine::pipeline
