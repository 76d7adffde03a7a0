#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "checkpoint/checkpoint.hpp"
#include "core/dtype.hpp"

namespace koine::pipeline {

struct SynthOptions {
  std::string model = "tiny";  ///< a word of checkpoint::size_words()
  int experts = 5;
  std::optional<std::int64_t> layers;  ///< blocks of each stack instead of the model's own
  DType dtype = DType::f32;
  checkpoint::Naming naming = checkpoint::Naming::hf;
  std::uint64_t seed = 0;
  std::filesystem::path output;
  int threads = 1;
  std::function<void(const std::string& line)> say;  ///< one line per model; may be empty
  std::function<void(std::int64_t done, std::int64_t total)>
      progress;  ///< bytes, from any thread; may be empty
};

struct SynthResult {
  bool was_complete = false;     ///< an earlier synth of the same settings had made everything
  std::int64_t tensors = 0;      ///< of each model
  std::int64_t bytes = 0;        ///< of all models
  std::filesystem::path recipe;  ///< OUTPUT/lors.yaml
};

/// Writes a synthetic Whisper base, its experts (SynthTensor) and a recipe that merges them:
/// OUTPUT/base/ and OUTPUT/expertN/ with config files, or OUTPUT/base.pt and OUTPUT/expertN.pt. The
/// bytes depend on the settings alone. A model that is already there from an interrupted synth of
/// the same settings is kept if its weights have their size, else made again. Streams: memory is
/// threads times two pieces. Local: no communication.
/// @throws InputError for an unknown model, or where OUTPUT holds anything else; StorageError;
/// Interrupted
[[nodiscard]] SynthResult synth(const SynthOptions& options);

}  // namespace koine::pipeline
