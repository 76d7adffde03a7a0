#pragma once

#include <string>
#include <vector>

#include "pipeline/plan.hpp"

namespace koine::pipeline {

/// The shard a tensor belongs to, from its name alone: "encoder.003" (layout layer),
/// "decoder.003.cross_attn" (fine), "rest".
[[nodiscard]] std::string shard_name(std::string_view canonical, recipe::ShardLayout layout);

/// Groups the plan's tensors into shards and sums their bytes and costs.
void make_shards(Plan& plan, const Inputs& inputs, recipe::ShardLayout layout);

/// What every shard's owner does: factors too, unless they are shared.
void sum_up_work(Plan& plan);

}  // namespace koine::pipeline
