#include "pipeline/shards.hpp"

#include <map>

#include <fmt/format.h>

#include "checkpoint/names.hpp"

namespace koine::pipeline {
namespace {

/// "attn", "cross_attn" or "mlp": the module and its norm belong together.
std::string_view module_of(std::string_view part) {
  if (part.starts_with("cross_attn")) return "cross_attn";
  if (part.starts_with("mlp")) return "mlp";
  return "attn";
}

/// Encoder before decoder before the rest; inside, by name (block numbers are padded).
std::pair<int, std::string> shard_order(const std::string& name) {
  const int stack = name.starts_with("encoder.") ? 0 : name.starts_with("decoder.") ? 1 : 2;
  return {stack, name};
}

}  // namespace

std::string shard_name(std::string_view canonical, recipe::ShardLayout layout) {
  const checkpoint::Block block = checkpoint::block_of(canonical);
  if (!block.is_block) return "rest";
  const std::string layer =
      fmt::format("{}.{:03}", block.is_encoder ? "encoder" : "decoder", block.index);
  return layout == recipe::ShardLayout::layer ? layer
                                              : fmt::format("{}.{}", layer, module_of(block.part));
}

void make_shards(Plan& plan, const Inputs& inputs, recipe::ShardLayout layout) {
  std::map<std::pair<int, std::string>, PlannedShard> shards;
  for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
    const PlannedTensor& tensor = plan.tensors[i];
    const std::string name = shard_name(inputs.base.tensors[tensor.index].canonical, layout);
    PlannedShard& shard = shards[shard_order(name)];
    shard.name = name;
    shard.file = fmt::format("shards/{}.h5", name);
    shard.tensors.push_back(i);
    shard.bytes_in += tensor.bytes_in;
    shard.bytes_out += tensor.bytes_out;
    shard.bytes_searched += tensor.bytes_searched;
  }
  plan.shards.clear();
  for (auto& [order, shard] : shards) plan.shards.push_back(std::move(shard));
  sum_up_work(plan);
}

void sum_up_work(Plan& plan) {
  for (PlannedShard& shard : plan.shards) {
    shard.work = {};
    for (const std::size_t i : shard.tensors) {
      shard.work += plan.tensors[i].merging;
      if (plan.shared.empty()) shard.work += plan.tensors[i].factors;
    }
    shard.cost = seconds_of(shard.work, plan.nominal);
  }
}

}  // namespace koine::pipeline
