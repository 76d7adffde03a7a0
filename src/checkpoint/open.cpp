#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "checkpoint/checkpoint.hpp"
#include "checkpoint/formats.hpp"
#include "core/error.hpp"
#include "core/file.hpp"

namespace koine::checkpoint {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kExpected =
    "expected a Hugging Face folder, a .safetensors file, an OpenAI .pt, a pytorch_model.bin or a "
    "Koine run folder";

bool has(const fs::path& folder, const char* leaf) {
  std::error_code ignored;
  return fs::exists(folder / leaf, ignored);
}

bool is_run_folder(const fs::path& folder) {
  if (!has(folder, "manifest.json")) return false;
  const File file = File::open_read(folder / "manifest.json");
  std::string start(static_cast<std::size_t>(std::min<std::int64_t>(file.size(), 4096)), '\0');
  file.read_at(std::as_writable_bytes(std::span(start)), 0);
  return start.find("koine-run") != std::string::npos;
}

/// What lies in the first bytes of a file.
enum class Content : std::uint8_t { safetensors, zip, pickle, hdf5, ggml, lfs_pointer, unknown };

Content content_of(const fs::path& path) {
  const File file = File::open_read(path);
  std::string start(static_cast<std::size_t>(std::min<std::int64_t>(file.size(), 64)), '\0');
  file.read_at(std::as_writable_bytes(std::span(start)), 0);
  if (start.starts_with("PK\x03\x04")) return Content::zip;
  if (start.starts_with("\x89HDF")) return Content::hdf5;
  if (start.starts_with("lmgg")) return Content::ggml;
  if (start.starts_with("version https://git-lfs")) return Content::lfs_pointer;
  if (start.size() > 8 && start[8] == '{') return Content::safetensors;
  if (start.starts_with("\x80")) return Content::pickle;
  return Content::unknown;
}

[[noreturn]] void refuse(const fs::path& path, Content content) {
  const std::string name = path.string();
  switch (content) {
    case Content::hdf5:
      throw InputError(fmt::format(
          "{}: is an HDF5 file; name the run folder that holds it, or an exported model", name));
    case Content::ggml:
      throw InputError(fmt::format(
          "{}: is a ggml file of whisper.cpp; name the checkpoint it was made from", name));
    case Content::lfs_pointer:
      throw InputError(
          fmt::format("{}: is a Git LFS pointer, not the file itself; run: git lfs pull", name));
    case Content::pickle:
      throw InputError(fmt::format(
          "{}: is a torch file of the old kind (a bare pickle), which is never read; save it "
          "again with torch 1.6 or later, or as safetensors",
          name));
    default:
      throw InputError(fmt::format("{}: is no checkpoint; {}", name, kExpected));
  }
}

Checkpoint open_file(const fs::path& path) {
  if (path.filename() == "model.safetensors.index.json") return open_safetensors_index(path);
  if (path.filename() == "pytorch_model.bin.index.json") return open_torch_index(path);
  const Content content = content_of(path);
  if (content == Content::zip) return open_torch(path);
  // A damaged safetensors file gets the reader's own words.
  if (content == Content::safetensors ||
      (content == Content::unknown && path.extension() == ".safetensors")) {
    return open_safetensors(path);
  }
  refuse(path, content);
}

/// The weights of a folder, in the order in which transformers looks for them.
Checkpoint open_weights(const fs::path& folder) {
  if (has(folder, "model.safetensors")) {
    Checkpoint checkpoint = open_file(folder / "model.safetensors");
    if (has(folder, "model.safetensors.index.json")) {
      checkpoint.notes.push_back(
          fmt::format("{}: holds model.safetensors and model.safetensors.index.json; the single "
                      "file is taken, as transformers does",
                      folder.string()));
    }
    return checkpoint;
  }
  for (const char* leaf : {"model.safetensors.index.json", "pytorch_model.bin",
                           "pytorch_model.bin.index.json", "model.pt"}) {
    if (has(folder, leaf)) return open_file(folder / leaf);
  }
  throw InputError(fmt::format(
      "{}: holds no model.safetensors, pytorch_model.bin, index of either, model.pt or complete "
      "manifest.json; {}",
      folder.string(), kExpected));
}

Checkpoint open_folder(const fs::path& folder) {
  if (is_run_folder(folder)) return open_run_folder(folder);
  if (has(folder, "adapter_config.json")) {
    throw InputError(fmt::format(
        "{}: is a PEFT adapter, which this version does not merge; merge it into its base first "
        "(peft: model.merge_and_unload().save_pretrained(...)) and name that folder",
        folder.string()));
  }
  return open_weights(folder);
}

void refuse_adapter_tensors(const Checkpoint& checkpoint) {
  for (const TensorInfo& tensor : checkpoint.tensors) {
    if (tensor.name.find(".lora_A.") == std::string::npos) continue;
    throw InputError(fmt::format(
        "{}: holds the PEFT adapter tensor '{:.200}'; merge the adapter into its base first",
        checkpoint.path, tensor.name));
  }
}

void note_prefixes(Checkpoint& checkpoint) {
  std::int64_t wrapped = 0, bare = 0;
  for (const TensorInfo& tensor : checkpoint.tensors) {
    if (tensor.name.starts_with("module.") || tensor.name.find("_orig_mod.") != std::string::npos)
      ++wrapped;
    else if (checkpoint.naming == Naming::hf && !tensor.name.starts_with("model.") &&
             tensor.name != "proj_out.weight")
      ++bare;
  }
  if (wrapped > 0) {
    checkpoint.notes.push_back(
        fmt::format("{}: {} names begin with 'module.' or '_orig_mod.', which is left out when "
                    "tensors are matched",
                    checkpoint.path, wrapped));
  }
  if (bare > 0) {
    checkpoint.notes.push_back(fmt::format(
        "{}: {} Hugging Face names lack the usual 'model.' in front", checkpoint.path, bare));
  }
}

}  // namespace

Checkpoint open(const std::string& path) {
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (!fs::exists(status)) throw InputError(fmt::format("{}: does not exist; {}", path, kExpected));
  Checkpoint checkpoint = fs::is_directory(status) ? open_folder(path) : open_file(path);
  checkpoint.path = path;
  refuse_adapter_tensors(checkpoint);
  finish_header(checkpoint);
  note_prefixes(checkpoint);
  return checkpoint;
}

}  // namespace koine::checkpoint
