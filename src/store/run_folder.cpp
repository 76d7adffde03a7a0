#include <map>

#include <fmt/format.h>

#include "checkpoint/formats.hpp"
#include "core/error.hpp"
#include "store/manifest.hpp"
#include "store/sums.hpp"

/// The reader of run folders lives beside their manifest: checkpoint must not include store.
namespace koine::checkpoint {
namespace {

namespace fs = std::filesystem;

store::Manifest manifest_of(const fs::path& folder) {
  try {
    return store::read_manifest(folder);
  } catch (const VerifyError& error) {
    throw InputError(error.what());
  }
}

/// A shard is a regular file below the folder, reached without a symbolic link, of the size that
/// was written.
SourceFile shard_file(const fs::path& folder, const store::ManifestFile& expected) {
  fs::path path = folder;
  for (const fs::path& part : fs::path(expected.path)) {
    path /= part;
    std::error_code ignored;
    if (fs::is_symlink(path, ignored)) {
      throw InputError(
          fmt::format("{}: is a symbolic link; expected the run's own file", path.string()));
    }
  }
  std::error_code code;
  const std::uintmax_t size = fs::is_regular_file(path, code) ? fs::file_size(path, code) : 0;
  if (!code && size == static_cast<std::uintmax_t>(expected.size))
    return {path.string(), expected.size};
  throw InputError(fmt::format(
      "{}: has {} bytes, expected {}; `koine verify {}` says what is damaged", path.string(),
      code ? "no" : std::to_string(size), expected.size, folder.string()));
}

}  // namespace

Checkpoint open_run_folder(const fs::path& folder) {
  const store::Manifest manifest = manifest_of(folder);
  Checkpoint checkpoint;
  checkpoint.path = folder.string();
  checkpoint.format = Format::run_folder;
  checkpoint.naming = manifest.naming;
  checkpoint.dims = manifest.dims;
  std::map<std::string_view, const store::ManifestFile*> listed;
  for (const store::ManifestFile& file : manifest.files) listed.emplace(file.path, &file);
  std::map<std::string_view, std::int32_t> indices;
  for (const store::ManifestTensor& tensor : manifest.tensors) {
    const auto [at, is_new] =
        indices.emplace(tensor.shard, static_cast<std::int32_t>(checkpoint.files.size()));
    if (is_new) checkpoint.files.push_back(shard_file(folder, *listed.at(tensor.shard)));
    checkpoint.tensors.push_back(
        {tensor.name, tensor.canonical, tensor.dtype, tensor.shape, at->second, tensor.offset, {}});
  }
  return checkpoint;
}

}  // namespace koine::checkpoint
