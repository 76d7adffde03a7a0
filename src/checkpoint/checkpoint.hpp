#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/dtype.hpp"
#include "core/shape.hpp"

namespace koine::checkpoint {

enum class Naming : std::uint8_t { openai, hf, unknown };

enum class Format : std::uint8_t { safetensors, torch, run_folder };

/// The ten integers of an OpenAI checkpoint's `dims`.
struct ModelDims {
  std::int64_t n_mels = 0, n_vocab = 0;
  std::int64_t n_audio_ctx = 0, n_audio_state = 0, n_audio_head = 0, n_audio_layer = 0;
  std::int64_t n_text_ctx = 0, n_text_state = 0, n_text_head = 0, n_text_layer = 0;
  bool operator==(const ModelDims&) const = default;
};

/// One tensor of a checkpoint and where its bytes lie.
struct TensorInfo {
  std::string name;       ///< as the checkpoint stores it
  std::string canonical;  ///< OpenAI's name; the same for both namings
  DType dtype = DType::f32;
  Shape shape;
  std::int32_t file = 0;              ///< index into Checkpoint::files
  std::int64_t offset = 0;            ///< bytes from the start of the file to element 0
  std::vector<std::int64_t> strides;  ///< in elements; empty: contiguous, row-major
  [[nodiscard]] std::int64_t count() const noexcept { return numel(shape); }
  [[nodiscard]] std::int64_t bytes() const noexcept { return count() * size_of(dtype); }
};

struct SourceFile {
  std::string path;
  std::int64_t size = 0;
};

/// The headers of a checkpoint, checked; no weights. Tensors are sorted by canonical name, which is
/// unique.
struct Checkpoint {
  std::string path;  ///< as the user wrote it (made absolute by the recipe)
  Format format = Format::safetensors;
  Naming naming = Naming::unknown;
  std::vector<SourceFile> files;
  std::vector<TensorInfo> tensors;
  std::optional<ModelDims> dims;  ///< from the archive, or derived from the shapes
  std::vector<std::string>
      notes;  ///< what the user should hear once (stripped prefixes, unlisted tensors …)

  [[nodiscard]] const TensorInfo* find(std::string_view canonical) const noexcept;
  [[nodiscard]] std::int64_t bytes() const noexcept;       ///< of all tensors
  [[nodiscard]] std::int64_t parameters() const noexcept;  ///< elements of all tensors
};

/// Reads and checks the headers of any supported checkpoint: HF folder (single or sharded
/// safetensors, or pytorch_model.bin), one .safetensors, OpenAI .pt or torch .bin archive, Koine
/// run folder. Local: no communication; nothing but headers is read.
/// @throws InputError with the file, what was expected, what was found
[[nodiscard]] Checkpoint open(const std::string& path);

/// For broadcasting headers to other processes: from_bytes(to_bytes(c)) equals c.
[[nodiscard]] std::string to_bytes(const Checkpoint& checkpoint);
[[nodiscard]] Checkpoint from_bytes(std::string_view bytes);

/// Sorts by canonical name, fills naming, and dims where they can be derived.
/// @throws InputError where two tensors have one canonical name
void finish_header(Checkpoint& checkpoint);

/// Derives dims from names and shapes (heads = width / 64, as in every Whisper); nothing if this is
/// no Whisper.
[[nodiscard]] std::optional<ModelDims> derive_dims(const Checkpoint& checkpoint);

}  // namespace koine::checkpoint
