#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.hpp"

namespace koine::checkpoint {

/// OpenAI's name of a Whisper tensor, for OpenAI and HF names (`model.`, `module.`, `_orig_mod.`
/// are stripped). Unknown names come back without those prefixes. An anchored table, no substring
/// replacement.
[[nodiscard]] std::string canonical_name(std::string_view name);

/// HF's name ("model." in front) of a canonical name; unknown names come back unchanged.
[[nodiscard]] std::string hf_name(std::string_view canonical);

/// Which naming a stored name belongs to.
[[nodiscard]] Naming naming_of(std::string_view stored);

/// Roles that selectors may name.
enum class Role : std::uint32_t {
  attention = 1U << 0U,
  self_attention = 1U << 1U,
  cross_attention = 1U << 2U,
  query = 1U << 3U,
  key = 1U << 4U,
  value = 1U << 5U,
  out = 1U << 6U,
  mlp = 1U << 7U,
  fc1 = 1U << 8U,
  fc2 = 1U << 9U,
  norm = 1U << 10U,
  embedding = 1U << 11U,
  position = 1U << 12U,
  conv = 1U << 13U,
  bias = 1U << 14U,
  encoder = 1U << 15U,
  decoder = 1U << 16U,
};

/// The roles of a tensor as a bit set of Role.
[[nodiscard]] std::uint32_t roles_of(std::string_view canonical);
[[nodiscard]] inline bool has_role(std::uint32_t roles, Role role) noexcept {
  return (roles & static_cast<std::uint32_t>(role)) != 0;
}
/// "attention" -> Role::attention; 0 for a word that is no role.
[[nodiscard]] std::uint32_t role_from_word(std::string_view word);
[[nodiscard]] std::vector<std::string> role_words();  ///< all of them, in the order above
[[nodiscard]] std::vector<std::string> words_of(std::uint32_t roles);

/// Where a tensor stands: its stack and block, or neither.
struct Block {
  bool is_block = false;
  bool is_encoder = false;
  std::int64_t index = 0;
  std::string_view part;  ///< "attn.query.weight": what follows "blocks.N."
};
[[nodiscard]] Block block_of(std::string_view canonical);

inline constexpr std::string_view kTokenEmbedding = "decoder.token_embedding.weight";
inline constexpr std::string_view kTiedOutput =
    "proj_out.weight";  ///< logits; tied to the token embedding

}  // namespace koine::checkpoint
