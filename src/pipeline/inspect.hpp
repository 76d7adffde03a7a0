#pragma once

#include <string>

#include "checkpoint/checkpoint.hpp"

namespace koine::pipeline {

/// What a checkpoint holds, from its headers: format, naming, Whisper size, tensors, dtypes,
/// parameters, files, dims; of a run folder its recipe too. `with_tensors` lists every tensor.
/// Local. @throws InputError
[[nodiscard]] std::string inspect_text(const checkpoint::Checkpoint& checkpoint, bool with_tensors);
[[nodiscard]] std::string inspect_json(const checkpoint::Checkpoint& checkpoint, bool with_tensors);

/// "small", "large-v3-turbo", or "width 384, 2 + 2 blocks, no published size"; empty if this is no
/// Whisper.
[[nodiscard]] std::string size_text(const checkpoint::Checkpoint& checkpoint);

}  // namespace koine::pipeline
