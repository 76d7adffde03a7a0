#include "checkpoint/whisper.hpp"

#include <array>

#include <fmt/format.h>

#include "checkpoint/names.hpp"

namespace koine::checkpoint {
namespace {

struct Size {
  std::string_view name;
  std::int64_t width, encoder_layers, decoder_layers, mels, vocab;
};

constexpr std::array<Size, 11> kSizes{{{"tiny", 384, 4, 4, 80, 51865},
                                       {"base", 512, 6, 6, 80, 51865},
                                       {"small", 768, 12, 12, 80, 51865},
                                       {"medium", 1024, 24, 24, 80, 51865},
                                       {"large-v2", 1280, 32, 32, 80, 51865},
                                       {"large-v3", 1280, 32, 32, 128, 51866},
                                       {"large-v3-turbo", 1280, 32, 4, 128, 51866},
                                       {"tiny.en", 384, 4, 4, 80, 51864},
                                       {"base.en", 512, 6, 6, 80, 51864},
                                       {"small.en", 768, 12, 12, 80, 51864},
                                       {"medium.en", 1024, 24, 24, 80, 51864}}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kAliases{
    {{"large", "large-v3"}, {"turbo", "large-v3-turbo"}, {"large-v1", "large-v2"}}};

ModelDims dims_of(const Size& s) {
  const std::int64_t heads = s.width / 64;
  return {s.mels,           s.vocab, 1500,    s.width, heads,
          s.encoder_layers, 448,     s.width, heads,   s.decoder_layers};
}

class List {
 public:
  std::vector<NamedShape> tensors;

  void block(const std::string& prefix, std::int64_t d, bool has_cross) {
    attention(prefix + "attn", d);
    norm(prefix + "attn_ln", d);
    if (has_cross) {
      attention(prefix + "cross_attn", d);
      norm(prefix + "cross_attn_ln", d);
    }
    linear(prefix + "mlp.0", 4 * d, d);
    linear(prefix + "mlp.2", d, 4 * d);
    norm(prefix + "mlp_ln", d);
  }
  void conv(const std::string& module, std::int64_t out, std::int64_t in) {
    tensors.push_back({module + ".weight", {out, in, 3}});
    tensors.push_back({module + ".bias", {out}});
  }
  void norm(const std::string& module, std::int64_t d) {
    tensors.push_back({module + ".weight", {d}});
    tensors.push_back({module + ".bias", {d}});
  }

 private:
  void linear(const std::string& module, std::int64_t out, std::int64_t in) {
    tensors.push_back({module + ".weight", {out, in}});
    tensors.push_back({module + ".bias", {out}});
  }
  void attention(const std::string& module, std::int64_t d) {
    linear(module + ".query", d, d);
    tensors.push_back({module + ".key.weight", {d, d}});  // keys have no bias
    linear(module + ".value", d, d);
    linear(module + ".out", d, d);
  }
};

}  // namespace

std::optional<ModelDims> dims_of_size(std::string_view name) {
  for (const auto& [alias, meant] : kAliases) {
    if (alias == name) name = meant;
  }
  for (const Size& size : kSizes) {
    if (size.name == name) return dims_of(size);
  }
  return std::nullopt;
}

std::optional<std::string> size_of_dims(const ModelDims& dims) {
  for (const Size& size : kSizes) {
    if (dims_of(size) == dims) return std::string(size.name);
  }
  return std::nullopt;
}

std::vector<std::string> size_words() {
  std::vector<std::string> words;
  words.reserve(std::size(kSizes) + std::size(kAliases));
  for (const Size& size : kSizes) words.emplace_back(size.name);
  for (const auto& [alias, meant] : kAliases) words.emplace_back(alias);
  return words;
}

std::vector<NamedShape> whisper_tensors(const ModelDims& dims) {
  List list;
  list.tensors.push_back({"encoder.positional_embedding", {dims.n_audio_ctx, dims.n_audio_state}});
  list.conv("encoder.conv1", dims.n_audio_state, dims.n_mels);
  list.conv("encoder.conv2", dims.n_audio_state, dims.n_audio_state);
  for (std::int64_t i = 0; i < dims.n_audio_layer; ++i) {
    list.block(fmt::format("encoder.blocks.{}.", i), dims.n_audio_state, false);
  }
  list.norm("encoder.ln_post", dims.n_audio_state);
  list.tensors.push_back({"decoder.positional_embedding", {dims.n_text_ctx, dims.n_text_state}});
  list.tensors.push_back({std::string(kTokenEmbedding), {dims.n_vocab, dims.n_text_state}});
  for (std::int64_t i = 0; i < dims.n_text_layer; ++i) {
    list.block(fmt::format("decoder.blocks.{}.", i), dims.n_text_state, true);
  }
  list.norm("decoder.ln", dims.n_text_state);
  return std::move(list.tensors);
}

}  // namespace koine::checkpoint
