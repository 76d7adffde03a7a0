#include "pipeline/shards.hpp"

#include <gtest/gtest.h>

namespace koine::pipeline {
namespace {

using recipe::ShardLayout;

TEST(Shards, AreNamedByTheTensorAlone) {
  EXPECT_EQ(shard_name("encoder.blocks.3.attn.query.weight", ShardLayout::layer), "encoder.003");
  EXPECT_EQ(shard_name("decoder.blocks.31.cross_attn_ln.bias", ShardLayout::layer), "decoder.031");
  EXPECT_EQ(shard_name("decoder.blocks.31.cross_attn_ln.bias", ShardLayout::fine),
            "decoder.031.cross_attn");
  EXPECT_EQ(shard_name("decoder.blocks.0.mlp.2.weight", ShardLayout::fine), "decoder.000.mlp");
  EXPECT_EQ(shard_name("decoder.blocks.0.attn_ln.weight", ShardLayout::fine), "decoder.000.attn");
  EXPECT_EQ(shard_name("decoder.token_embedding.weight", ShardLayout::fine), "rest");
}

}  // namespace
}  // namespace koine::pipeline
