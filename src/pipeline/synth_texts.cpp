#include "pipeline/synth_texts.hpp"

#include <fmt/format.h>

#include "core/json.hpp"

namespace koine::pipeline {
namespace {

/// The special tokens of a vocabulary: English-only ones end a number earlier, large-v3 has one
/// more language.
struct Tokens {
  std::int64_t end, start, translate, transcribe, no_timestamps;
  bool is_multilingual;
};

Tokens tokens_of(std::int64_t vocab) {
  if (vocab == 51864) return {50256, 50257, 50357, 50358, 50362, false};
  if (vocab == 51866) return {50257, 50258, 50359, 50360, 50364, true};
  return {50257, 50258, 50358, 50359, 50363, true};
}

Json config(const checkpoint::ModelDims& d, DType dtype) {
  const Tokens tokens = tokens_of(d.n_vocab);
  return {{"architectures", {"WhisperForConditionalGeneration"}},
          {"model_type", "whisper"},
          {"activation_function", "gelu"},
          {"bos_token_id", tokens.end},
          {"d_model", d.n_audio_state},
          {"decoder_attention_heads", d.n_text_head},
          {"decoder_ffn_dim", 4 * d.n_text_state},
          {"decoder_layers", d.n_text_layer},
          {"decoder_start_token_id", tokens.start},
          {"encoder_attention_heads", d.n_audio_head},
          {"encoder_ffn_dim", 4 * d.n_audio_state},
          {"encoder_layers", d.n_audio_layer},
          {"eos_token_id", tokens.end},
          {"is_encoder_decoder", true},
          {"max_source_positions", d.n_audio_ctx},
          {"max_target_positions", d.n_text_ctx},
          {"num_hidden_layers", d.n_audio_layer},
          {"num_mel_bins", d.n_mels},
          {"pad_token_id", tokens.end},
          {"scale_embedding", false},
          {"torch_dtype", recipe_name(dtype)},
          {"vocab_size", d.n_vocab}};
}

Json generation_config(const checkpoint::ModelDims& d) {
  const Tokens tokens = tokens_of(d.n_vocab);
  Json document{{"bos_token_id", tokens.end}, {"decoder_start_token_id", tokens.start},
                {"eos_token_id", tokens.end}, {"is_multilingual", tokens.is_multilingual},
                {"max_length", d.n_text_ctx}, {"no_timestamps_token_id", tokens.no_timestamps},
                {"pad_token_id", tokens.end}};
  if (tokens.is_multilingual) {
    document["task_to_id"] = {{"transcribe", tokens.transcribe}, {"translate", tokens.translate}};
  }
  return document;
}

Json preprocessor_config(const checkpoint::ModelDims& d) {
  return {{"chunk_length", 30},
          {"feature_extractor_type", "WhisperFeatureExtractor"},
          {"feature_size", d.n_mels},
          {"hop_length", 160},
          {"n_fft", 400},
          {"n_samples", 480000},
          {"nb_max_frames", 3000},
          {"padding_side", "right"},
          {"padding_value", 0.0},
          {"processor_class", "WhisperProcessor"},
          {"return_attention_mask", false},
          {"sampling_rate", 16000}};
}

}  // namespace

std::vector<std::pair<std::string, std::string>> config_files(const checkpoint::ModelDims& dims,
                                                              DType dtype) {
  return {{"config.json", to_text(config(dims, dtype))},
          {"generation_config.json", to_text(generation_config(dims))},
          {"preprocessor_config.json", to_text(preprocessor_config(dims))}};
}

std::string synth_recipe(const SynthOptions& options) {
  const char* ending = options.naming == checkpoint::Naming::hf ? "" : ".pt";
  std::string text = fmt::format(
      "# Merges the synthetic experts beside this file:\n"
      "#   koine plan lors.yaml                     what it will take\n"
      "#   koine merge lors.yaml --output runs/demo  alone, or: mpirun -n 4 koine merge ...\n"
      "merge_method: lors        # low rank plus sparse, per expert\n"
      "base_model: base{}\n"
      "models:                   # each may carry parameters: {{weight: 1.0}}\n",
      ending);
  for (int i = 1; i <= options.experts; ++i)
    text += fmt::format("  - model: expert{}{}\n", i, ending);
  return text +
         "parameters:\n"
         "  rank: 7                 # singular triplets kept of every selected matrix\n"
         "  density: 0.2            # share of the residual's entries kept\n"
         "  lambda: 0.2             # scale of the summed task vectors\n";
}

std::string synth_settings(const SynthOptions& options) {
  return to_text({{"format", "koine-synth"},
                  {"version", 1},
                  {"model", options.model},
                  {"experts", options.experts},
                  {"layers", options.layers ? Json(*options.layers) : Json()},
                  {"dtype", recipe_name(options.dtype)},
                  {"naming", options.naming == checkpoint::Naming::hf ? "hf" : "openai"},
                  {"seed", options.seed}});
}

}  // namespace koine::pipeline
