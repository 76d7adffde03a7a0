#include "store/manifest.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/text_file.hpp"
#include "store/layout.hpp"
#include "store/manifest_json.hpp"
#include "store/sums.hpp"

namespace koine::store {
namespace {

constexpr std::int64_t kLargestManifest = std::int64_t{256} << 20;
constexpr std::string_view kAgain = "run the same `koine merge` again";

/// What a caller may have in any order, in the one order of the file.
Manifest in_order(Manifest manifest) {
  std::sort(
      manifest.tensors.begin(), manifest.tensors.end(),
      [](const ManifestTensor& a, const ManifestTensor& b) { return a.canonical < b.canonical; });
  std::erase_if(manifest.files, [](const ManifestFile& f) {
    return f.path == kSumsName || f.path == kManifestName;
  });
  std::sort(manifest.files.begin(), manifest.files.end(),
            [](const ManifestFile& a, const ManifestFile& b) { return a.path < b.path; });
  return manifest;
}

/// Empty if all is well; else what is wrong with paths and places.
std::string trouble_of(const Manifest& manifest) {
  std::map<std::string_view, std::int64_t> sizes;
  for (const ManifestFile& file : manifest.files) {
    if (!is_plain_path(file.path) || may_differ(file.path))
      return fmt::format("file '{}' has no place here", file.path);
    if (file.path == kSumsName || file.path == kManifestName)
      return fmt::format("lists '{}'", file.path);
    if (!sizes.emplace(file.path, file.size).second)
      return fmt::format("file '{}' is listed twice", file.path);
  }
  std::set<std::string_view> names;
  for (const ManifestTensor& tensor : manifest.tensors) {
    const auto shard = sizes.find(tensor.shard);
    if (shard == sizes.end())
      return fmt::format("tensor '{}' lies in '{}', no file here", tensor.name, tensor.shard);
    if (tensor.offset > shard->second - tensor.bytes()) {
      return fmt::format("tensor '{}' ends beyond '{}'", tensor.name, tensor.shard);
    }
    if (!names.insert(tensor.canonical).second)
      return fmt::format("tensor '{}' is listed twice", tensor.canonical);
  }
  return {};
}

}  // namespace

void write_manifest(const std::filesystem::path& run, const Manifest& manifest,
                    const ModelTexts& models) {
  const Manifest ordered = in_order(manifest);
  if (const std::string trouble = trouble_of(ordered); !trouble.empty()) {
    throw InputError(fmt::format("{}: manifest.json cannot be written: {}", run.string(), trouble));
  }
  TextFile file(run / kManifestName);
  put_manifest(ordered, models, [&file](std::string_view piece) { file.append(piece); });
  write_file_atomically(run / kSumsName, sums_text(ordered.files));
  file.publish();
}

Manifest read_manifest(const std::filesystem::path& run) {
  const std::filesystem::path path = run / kManifestName;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    throw InputError(
        fmt::format("{}: is no complete run (no manifest.json); {}", run.string(), kAgain));
  }
  Manifest manifest = manifest_from_text(read_text_file(path, kLargestManifest), path.string());
  if (const std::string trouble = trouble_of(manifest); !trouble.empty()) {
    throw VerifyError(fmt::format("{}: {}; {}", path.string(), trouble, kAgain));
  }
  return manifest;
}

bool has_manifest(const std::filesystem::path& run) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(run / kManifestName, ignored);
}

void write_master(const std::filesystem::path& run, const std::vector<ManifestTensor>& tensors) {
  write_file_atomically(run / kMasterName, lay_out_master(tensors).text());
}

}  // namespace koine::store
