#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.hpp"
#include "core/dtype.hpp"

namespace koine::pipeline {

struct ExportOptions {
  std::string run;  ///< a complete run folder
  std::filesystem::path output;
  checkpoint::Naming format = checkpoint::Naming::hf;  ///< hf or openai
  std::optional<DType> dtype;  ///< of float tensors; rounds the stored values again
  std::int64_t shard_bytes =
      5'000'000'000;  ///< hf: largest weight file (a larger tensor has its own)
  std::function<void(std::int64_t done, std::int64_t total)> progress;  ///< bytes; may be empty
};

struct ExportResult {
  std::int64_t tensors = 0, bytes = 0;  ///< of weights, as written
  std::vector<std::string> files;       ///< names below OUTPUT, sorted
  std::vector<std::string> warnings;
};

/// A run folder as a checkpoint that other tools load.
/// hf:     model.safetensors, or model-0000i-of-0000N.safetensors and model.safetensors.index.json;
/// the base's config and
///         tokenizer files with the dtype set; README.md (model card); koine_config.yml (the
///         recipe).
/// openai: model.pt ({dims, model_state_dict}, without the tied output); koine_config.yml.
/// Every tensor and file is checked against the manifest's SHA-256 while it streams through
/// (memory: two pieces). The folder grows under another name beside OUTPUT and is renamed when
/// complete; an earlier export there is replaced, and a link to it stays. Local: one process.
/// @throws InputError (run not complete, OUTPUT holds other files, lies inside the run or around
/// it), VerifyError naming the damaged tensor, StorageError, Interrupted
[[nodiscard]] ExportResult export_run(const ExportOptions& options);

}  // namespace koine::pipeline
