#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "checkpoint/formats.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"

namespace koine::checkpoint {
namespace {

namespace fs = std::filesystem;
using WeightMap = std::map<std::string, std::string>;

constexpr std::int64_t kLargestIndex = 100'000'000;
constexpr std::size_t kMostTensors = 100'000;

WeightMap read_weight_map(const fs::path& index) {
  const Json document = parse_strict_json(read_text_file(index, kLargestIndex), index.string());
  const auto map = document.is_object() ? document.find("weight_map") : document.end();
  if (map == document.end() || !map->is_object() || map->empty() || map->size() > kMostTensors) {
    throw InputError(fmt::format("{}: expected an object 'weight_map' of 1 to {} entries",
                                 index.string(), kMostTensors));
  }
  WeightMap result;
  for (const auto& [name, file] : map->items()) {
    if (!file.is_string())
      throw InputError(
          fmt::format("{}: weight_map['{:.200}'] is no file name", index.string(), name));
    result.emplace(name, file.get<std::string>());
  }
  return result;
}

bool lies_in(const fs::path& file, const fs::path& folder) {
  const auto [at, rest] = std::mismatch(folder.begin(), folder.end(), file.begin(), file.end());
  return at == folder.end() && rest != file.end();
}

/// The shard's path: a plain name, no link out of the folder (but into the blobs of a Hugging Face
/// cache, whose snapshots are made of such links).
fs::path confined(const fs::path& index, const std::string& name) {
  const bool is_plain =
      !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
      name.find('\\') == std::string::npos && name.find('\0') == std::string::npos;
  if (!is_plain) {
    throw InputError(
        fmt::format("{}: weight_map names {:.200}; expected a plain file name beside the index",
                    index.string(), Json(name).dump()));
  }
  const fs::path folder = index.has_parent_path() ? index.parent_path() : fs::path(".");
  fs::path shard = folder / name;
  std::error_code code;
  const fs::path target = fs::canonical(shard, code);
  if (code) {
    throw InputError(fmt::format("{}: named by {} but cannot be opened: {}; download it again",
                                 shard.string(), index.filename().string(), code.message()));
  }
  const fs::path home = fs::canonical(folder);
  const bool is_cache = home.parent_path().filename() == "snapshots";
  if (!lies_in(target, home) &&
      !(is_cache && lies_in(target, home.parent_path().parent_path() / "blobs"))) {
    throw InputError(fmt::format("{}: is a link out of its folder; copy the file into the folder",
                                 shard.string()));
  }
  return shard;
}

/// What one shard adds; found and unlisted names are noted.
struct Collector {
  const WeightMap& map;
  Checkpoint& checkpoint;
  std::set<std::string> found;

  void add(const std::string& file, Checkpoint&& shard) {
    const auto number = static_cast<std::int32_t>(checkpoint.files.size());
    checkpoint.files.push_back(shard.files.front());
    for (std::string& note : shard.notes) checkpoint.notes.push_back(std::move(note));
    std::vector<std::string> unlisted;
    for (TensorInfo& tensor : shard.tensors) {
      const auto listed = map.find(tensor.name);
      if (listed == map.end()) {
        unlisted.push_back(tensor.name);
        continue;
      }
      if (listed->second != file) {
        throw InputError(fmt::format(
            "{}: holds tensor '{:.200}', which {} places in {}: the same tensor in two files",
            shard.path, tensor.name, checkpoint.path, listed->second));
      }
      found.insert(tensor.name);
      tensor.file = number;
      checkpoint.tensors.push_back(std::move(tensor));
    }
    if (unlisted.empty()) return;
    checkpoint.notes.push_back(
        fmt::format("{}: {} tensor{} not listed in the index left out, the first is '{:.200}'",
                    shard.path, unlisted.size(), unlisted.size() == 1 ? "" : "s", unlisted[0]));
  }
};

/// `open_shard` reads one file.
Checkpoint open_index(const fs::path& index, Format format,
                      Checkpoint (*open_shard)(const fs::path& file)) {
  const WeightMap map = read_weight_map(index);
  Checkpoint checkpoint;
  checkpoint.path = index.string();
  checkpoint.format = format;
  std::set<std::string> files;
  for (const auto& [name, file] : map) files.insert(file);
  Collector collector{map, checkpoint, {}};
  for (const std::string& file : files) collector.add(file, open_shard(confined(index, file)));
  for (const auto& [name, file] : map) {
    if (collector.found.contains(name)) continue;
    throw InputError(
        fmt::format("{}: tensor '{:.200}' is listed but {} does not hold it; download both again",
                    index.string(), name, file));
  }
  return checkpoint;
}

}  // namespace

Checkpoint open_safetensors_index(const fs::path& index) {
  return open_index(index, Format::safetensors, open_safetensors);
}

Checkpoint open_torch_index(const fs::path& index) {
  return open_index(index, Format::torch, open_torch);
}

}  // namespace koine::checkpoint
