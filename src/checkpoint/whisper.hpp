#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.hpp"

namespace koine::checkpoint {

/// Dims of a published Whisper: "tiny" … "large-v3-turbo", "tiny.en" … "medium.en", and the aliases
/// of openai-whisper
/// ("large" is large-v3, "turbo" is large-v3-turbo). Nothing for another word.
[[nodiscard]] std::optional<ModelDims> dims_of_size(std::string_view name);

/// The published model of these dims ("large-v2" for the equal large-v1 too); nothing if there is
/// none.
[[nodiscard]] std::optional<std::string> size_of_dims(const ModelDims& dims);

/// Names that dims_of_size knows, aliases last.
[[nodiscard]] std::vector<std::string> size_words();

struct NamedShape {
  std::string canonical;
  Shape shape;
};

/// Every tensor of a state dict of these dims, in OpenAI's order.
[[nodiscard]] std::vector<NamedShape> whisper_tensors(const ModelDims& dims);

}  // namespace koine::checkpoint
