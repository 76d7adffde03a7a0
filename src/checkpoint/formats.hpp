#pragma once

#include <filesystem>

#include "checkpoint/checkpoint.hpp"

/// One reader per format, each in a file of its own. All fill files and tensors (name, dtype,
/// shape, place), call nothing that reads weights, and throw InputError; checkpoint::open chooses
/// among them and calls finish_header.
namespace koine::checkpoint {

/// One .safetensors file (formats: strict header, no holes, no overlap, exact length, no repeated
/// key).
[[nodiscard]] Checkpoint open_safetensors(const std::filesystem::path& file);

/// model.safetensors.index.json and its shards.
[[nodiscard]] Checkpoint open_safetensors_index(const std::filesystem::path& index);

/// A zip archive written by torch.save: OpenAI .pt ({dims, model_state_dict}) or HF
/// pytorch_model.bin (a state dict).
[[nodiscard]] Checkpoint open_torch(const std::filesystem::path& file);

/// pytorch_model.bin.index.json and its shards.
[[nodiscard]] Checkpoint open_torch_index(const std::filesystem::path& index);

/// A complete Koine run folder, through its manifest.
[[nodiscard]] Checkpoint open_run_folder(const std::filesystem::path& folder);

}  // namespace koine::checkpoint
