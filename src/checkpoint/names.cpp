#include "checkpoint/names.hpp"

#include <array>
#include <cctype>
#include <utility>

namespace koine::checkpoint {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;  // OpenAI, HF without "model."

constexpr std::array<Pair, 11> kWhole{
    {{"encoder.conv1.weight", "encoder.conv1.weight"},
     {"encoder.conv1.bias", "encoder.conv1.bias"},
     {"encoder.conv2.weight", "encoder.conv2.weight"},
     {"encoder.conv2.bias", "encoder.conv2.bias"},
     {"encoder.positional_embedding", "encoder.embed_positions.weight"},
     {"decoder.positional_embedding", "decoder.embed_positions.weight"},
     {"decoder.token_embedding.weight", "decoder.embed_tokens.weight"},
     {"encoder.ln_post.weight", "encoder.layer_norm.weight"},
     {"encoder.ln_post.bias", "encoder.layer_norm.bias"},
     {"decoder.ln.weight", "decoder.layer_norm.weight"},
     {"decoder.ln.bias", "decoder.layer_norm.bias"}}};

/// Modules of a block; ".weight" or ".bias" follows.
constexpr std::array<Pair, 13> kModules{{{"attn.query", "self_attn.q_proj"},
                                         {"attn.key", "self_attn.k_proj"},
                                         {"attn.value", "self_attn.v_proj"},
                                         {"attn.out", "self_attn.out_proj"},
                                         {"attn_ln", "self_attn_layer_norm"},
                                         {"cross_attn.query", "encoder_attn.q_proj"},
                                         {"cross_attn.key", "encoder_attn.k_proj"},
                                         {"cross_attn.value", "encoder_attn.v_proj"},
                                         {"cross_attn.out", "encoder_attn.out_proj"},
                                         {"cross_attn_ln", "encoder_attn_layer_norm"},
                                         {"mlp.0", "fc1"},
                                         {"mlp.2", "fc2"},
                                         {"mlp_ln", "final_layer_norm"}}};

constexpr std::array<std::string_view, 3> kPrefixes{"module.", "_orig_mod.", "model."};

std::string_view strip(std::string_view name) {
  for (bool again = true; again;) {
    again = false;
    for (const std::string_view prefix : kPrefixes) {
      if (!name.starts_with(prefix)) continue;
      name.remove_prefix(prefix.size());
      again = true;
    }
  }
  return name;
}

/// Splits "encoder.<blocks>.12.rest" into stack, number and rest.
struct Parts {
  std::string_view stack, number, rest;
};

bool split_block(std::string_view name, std::string_view blocks, Parts& parts) {
  for (const std::string_view stack : {std::string_view("encoder"), std::string_view("decoder")}) {
    if (!name.starts_with(stack)) continue;
    std::string_view rest = name.substr(stack.size());
    if (!rest.starts_with(blocks)) continue;
    rest.remove_prefix(blocks.size());
    std::size_t digits = 0;
    while (digits < rest.size() && std::isdigit(static_cast<unsigned char>(rest[digits])) != 0)
      ++digits;
    if (digits == 0 || digits > 6 || digits == rest.size() || rest[digits] != '.') return false;
    parts = {stack, rest.substr(0, digits), rest.substr(digits + 1)};
    return true;
  }
  return false;
}

/// Translates a block's part ("self_attn.q_proj.weight") between namings; empty if it is unknown.
std::string translate(std::string_view part, bool to_openai) {
  const auto dot = part.rfind('.');
  if (dot == std::string_view::npos) return {};
  const std::string_view module = part.substr(0, dot), leaf = part.substr(dot);
  if (leaf != ".weight" && leaf != ".bias") return {};
  for (const auto& [openai, hf] : kModules) {
    if ((to_openai ? hf : openai) == module)
      return std::string(to_openai ? openai : hf) + std::string(leaf);
  }
  return {};
}

constexpr std::array<std::string_view, 17> kWords{"attention",
                                                  "self_attention",
                                                  "cross_attention",
                                                  "query",
                                                  "key",
                                                  "value",
                                                  "out",
                                                  "mlp",
                                                  "fc1",
                                                  "fc2",
                                                  "norm",
                                                  "embedding",
                                                  "position",
                                                  "conv",
                                                  "bias",
                                                  "encoder",
                                                  "decoder"};

std::uint32_t bit(Role role) {
  return static_cast<std::uint32_t>(role);
}

std::uint32_t roles_of_part(std::string_view part) {
  const auto dot = part.rfind('.');
  const std::string_view module = part.substr(0, dot);
  if (module == "mlp.0") return bit(Role::mlp) | bit(Role::fc1);
  if (module == "mlp.2") return bit(Role::mlp) | bit(Role::fc2);
  if (module.ends_with("_ln")) return bit(Role::norm);
  std::uint32_t roles = 0;
  if (module.starts_with("attn.")) roles = bit(Role::attention) | bit(Role::self_attention);
  if (module.starts_with("cross_attn.")) roles = bit(Role::attention) | bit(Role::cross_attention);
  if (roles == 0) return 0;
  if (module.ends_with(".query")) roles |= bit(Role::query);
  if (module.ends_with(".key")) roles |= bit(Role::key);
  if (module.ends_with(".value")) roles |= bit(Role::value);
  if (module.ends_with(".out")) roles |= bit(Role::out);
  return roles;
}

}  // namespace

std::string canonical_name(std::string_view name) {
  const std::string_view bare = strip(name);
  for (const auto& [openai, hf] : kWhole) {
    if (bare == hf || bare == openai) return std::string(openai);
  }
  Parts parts;
  if (split_block(bare, ".layers.", parts)) {
    const std::string part = translate(parts.rest, true);
    if (!part.empty())
      return std::string(parts.stack) + ".blocks." + std::string(parts.number) + "." + part;
  }
  return std::string(bare);
}

std::string hf_name(std::string_view canonical) {
  for (const auto& [openai, hf] : kWhole) {
    if (canonical == openai) return "model." + std::string(hf);
  }
  Parts parts;
  if (split_block(canonical, ".blocks.", parts)) {
    const std::string part = translate(parts.rest, false);
    if (!part.empty())
      return "model." + std::string(parts.stack) + ".layers." + std::string(parts.number) + "." +
             part;
  }
  return std::string(canonical);
}

Naming naming_of(std::string_view stored) {
  const std::string_view bare = strip(stored);
  Parts parts;
  if (split_block(bare, ".layers.", parts)) return Naming::hf;
  if (split_block(bare, ".blocks.", parts)) return Naming::openai;
  for (const auto& [openai, hf] : kWhole) {
    if (openai == hf) continue;
    if (bare == hf) return Naming::hf;
    if (bare == openai) return Naming::openai;
  }
  return Naming::unknown;
}

std::uint32_t roles_of(std::string_view canonical) {
  std::uint32_t roles = 0;
  if (canonical.starts_with("encoder.")) roles |= bit(Role::encoder);
  if (canonical.starts_with("decoder.")) roles |= bit(Role::decoder);
  if (canonical.ends_with(".bias")) roles |= bit(Role::bias);
  const Block block = block_of(canonical);
  if (block.is_block) return roles | roles_of_part(block.part);
  if (canonical.find(".conv1.") != std::string_view::npos ||
      canonical.find(".conv2.") != std::string_view::npos) {
    roles |= bit(Role::conv);
  }
  if (canonical.ends_with("positional_embedding")) roles |= bit(Role::position);
  if (canonical == kTokenEmbedding || canonical == kTiedOutput) roles |= bit(Role::embedding);
  if (canonical.starts_with("encoder.ln_post.") || canonical.starts_with("decoder.ln."))
    roles |= bit(Role::norm);
  return roles;
}

std::uint32_t role_from_word(std::string_view word) {
  for (std::size_t i = 0; i < kWords.size(); ++i) {
    if (kWords[i] == word) return 1U << i;
  }
  return 0;
}

std::vector<std::string> role_words() {
  return {kWords.begin(), kWords.end()};
}

std::vector<std::string> words_of(std::uint32_t roles) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < kWords.size(); ++i) {
    if ((roles & (1U << i)) != 0) words.emplace_back(kWords[i]);
  }
  return words;
}

Block block_of(std::string_view canonical) {
  Parts parts;
  if (!split_block(canonical, ".blocks.", parts)) return {};
  std::int64_t index = 0;
  for (const char digit : parts.number) index = index * 10 + (digit - '0');
  return {true, parts.stack == "encoder", index, parts.rest};
}

}  // namespace koine::checkpoint
