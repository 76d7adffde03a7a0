#pragma once

#include <filesystem>
#include <vector>

#include "checkpoint/checkpoint.hpp"
#include "checkpoint/write_safetensors.hpp"

namespace koine::checkpoint {

/// An OpenAI Whisper .pt: {"dims": dims, "model_state_dict": OrderedDict of tensors}, a zip of
/// stored entries with data at 64-byte boundaries (zip64 where sizes ask for it), pickle protocol
/// 2, as torch.load(weights_only=True) and openai-whisper read it. Streams: memory one piece.
/// Written to a temporary name, synced, renamed.
void write_openai_checkpoint(const std::filesystem::path& path, const ModelDims& dims,
                             const std::vector<OutTensor>& tensors, const ByteSource& source);

/// Bytes of the file that write_openai_checkpoint makes of these.
[[nodiscard]] std::int64_t openai_checkpoint_size(const ModelDims& dims,
                                                  const std::vector<OutTensor>& tensors);

}  // namespace koine::checkpoint
