#include "checkpoint/names.hpp"

#include <gtest/gtest.h>

namespace koine::checkpoint {
namespace {

struct Case {
  const char* openai;
  const char* hf;
};
std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.openai;
}

class Names : public testing::TestWithParam<Case> {};

TEST_P(Names, TranslateBothWays) {
  EXPECT_EQ(canonical_name(GetParam().hf), GetParam().openai);
  EXPECT_EQ(canonical_name(GetParam().openai), GetParam().openai);
  EXPECT_EQ(hf_name(GetParam().openai), GetParam().hf);
}

TEST_P(Names, PrefixesOfTrainingToolsFallAway) {
  EXPECT_EQ(canonical_name(std::string("module.") + GetParam().hf), GetParam().openai);
  EXPECT_EQ(canonical_name(std::string("_orig_mod.") + GetParam().openai), GetParam().openai);
  EXPECT_EQ(canonical_name(std::string(GetParam().hf).substr(6)), GetParam().openai);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Names,
    testing::Values(Case{"encoder.conv1.weight", "model.encoder.conv1.weight"},
                    Case{"encoder.positional_embedding", "model.encoder.embed_positions.weight"},
                    Case{"decoder.token_embedding.weight", "model.decoder.embed_tokens.weight"},
                    Case{"encoder.ln_post.bias", "model.encoder.layer_norm.bias"},
                    Case{"decoder.ln.weight", "model.decoder.layer_norm.weight"},
                    Case{"encoder.blocks.11.attn.query.bias",
                         "model.encoder.layers.11.self_attn.q_proj.bias"},
                    Case{"decoder.blocks.3.cross_attn.key.weight",
                         "model.decoder.layers.3.encoder_attn.k_proj.weight"},
                    Case{"decoder.blocks.0.cross_attn_ln.bias",
                         "model.decoder.layers.0.encoder_attn_layer_norm.bias"},
                    Case{"encoder.blocks.0.mlp.2.weight", "model.encoder.layers.0.fc2.weight"},
                    Case{"decoder.blocks.31.mlp_ln.weight",
                         "model.decoder.layers.31.final_layer_norm.weight"}));

TEST(Names, UnknownNamesStay) {
  EXPECT_EQ(canonical_name("proj_out.weight"), "proj_out.weight");
  EXPECT_EQ(hf_name("proj_out.weight"), "proj_out.weight");
  EXPECT_EQ(canonical_name("model.encoder.layers.x.fc1.weight"), "encoder.layers.x.fc1.weight");
  EXPECT_EQ(canonical_name("encoder.layers.0.self_attn.q_proj.lora_A"),
            "encoder.layers.0.self_attn.q_proj.lora_A");
}

TEST(Names, NamingIsReadOffTheName) {
  EXPECT_EQ(naming_of("model.encoder.layers.0.fc1.weight"), Naming::hf);
  EXPECT_EQ(naming_of("encoder.blocks.0.mlp.0.weight"), Naming::openai);
  EXPECT_EQ(naming_of("encoder.conv1.weight"), Naming::unknown);
}

TEST(Roles, OfEveryKind) {
  const auto words = [](const char* name) { return words_of(roles_of(name)); };
  using Words = std::vector<std::string>;
  EXPECT_EQ(words("encoder.blocks.0.attn.query.weight"),
            (Words{"attention", "self_attention", "query", "encoder"}));
  EXPECT_EQ(words("decoder.blocks.0.cross_attn.out.bias"),
            (Words{"attention", "cross_attention", "out", "bias", "decoder"}));
  EXPECT_EQ(words("decoder.blocks.0.mlp.0.weight"), (Words{"mlp", "fc1", "decoder"}));
  EXPECT_EQ(words("decoder.blocks.0.mlp_ln.bias"), (Words{"norm", "bias", "decoder"}));
  EXPECT_EQ(words("encoder.positional_embedding"), (Words{"position", "encoder"}));
  EXPECT_EQ(words("decoder.token_embedding.weight"), (Words{"embedding", "decoder"}));
  EXPECT_EQ(words("encoder.conv2.bias"), (Words{"conv", "bias", "encoder"}));
  EXPECT_EQ(words("decoder.ln.weight"), (Words{"norm", "decoder"}));
}

}  // namespace
}  // namespace koine::checkpoint
