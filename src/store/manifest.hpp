#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.hpp"
#include "core/dtype.hpp"
#include "core/shape.hpp"

namespace koine::store {

inline constexpr int kFormatVersion = 1;

struct ManifestTensor {
  std::string name;       ///< the base checkpoint's own
  std::string canonical;  ///< OpenAI's
  std::string shard;      ///< "shards/encoder.000.h5"
  DType dtype = DType::f32;
  Shape shape;
  std::int64_t offset = 0;  ///< of its bytes in the shard's file
  std::string sha256;       ///< of its bytes
  [[nodiscard]] std::int64_t bytes() const noexcept { return numel(shape) * size_of(dtype); }
};

struct ManifestFile {
  std::string path;  ///< relative to the run folder
  std::int64_t size = 0;
  std::string sha256;
};

/// What a complete run folder holds. JSON members are kept as text: store does not look into them.
/// They come back as compact text (no white space), whatever they were written with.
struct Manifest {
  std::string recipe;      ///< JSON object: canonical_json of the recipe
  std::string inputs;      ///< JSON array: per model its path as written, naming, files' sizes,
                           ///< tensors' fingerprints
  std::string arithmetic;  ///< JSON object: engine version, backend, BLAS, instruction set
  std::optional<checkpoint::ModelDims> dims;
  checkpoint::Naming naming = checkpoint::Naming::unknown;
  std::vector<ManifestTensor> tensors;  ///< sorted by canonical name
  std::vector<ManifestFile>
      files;  ///< every file that may not differ, but the manifest; sorted by path
};

/// JSON object of one model of Manifest::inputs, by its place there.
struct ModelTexts {
  std::size_t count = 0;
  std::function<std::string(std::size_t model)> text;
};

/// Writes SHA256SUMS (sorted, `sha256sum -c` passes; without itself and the manifest), then
/// manifest.json last, each atomically. Sorts; leaves SHA256SUMS and the manifest out where they
/// are listed. The manifest ends with "complete": true and "manifest_sha256", the hash of its text
/// without that member. Where `models` are given, they are asked for one by one and stand for
/// manifest.inputs: memory does not grow with them.
/// @throws InputError for paths that sha256sum cannot read, StorageError
void write_manifest(const std::filesystem::path& run, const Manifest& manifest,
                    const ModelTexts& models = {});

/// Reads and checks manifest.json (its own hash, versions, paths that stay in the folder, sizes
/// that fit).
/// @throws InputError if it is missing or not complete, VerifyError if it is damaged
[[nodiscard]] Manifest read_manifest(const std::filesystem::path& run);

/// Whether a complete manifest.json is there (says nothing of damage).
[[nodiscard]] bool has_manifest(const std::filesystem::path& run);

/// model.h5: /tensors/<name> as external links "shards/x.h5" -> "/tensors/<name>". Same bytes for
/// the same list. Atomic. @throws StorageError
void write_master(const std::filesystem::path& run, const std::vector<ManifestTensor>& tensors);

}  // namespace koine::store
