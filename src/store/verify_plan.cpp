#include "store/verify_plan.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "store/sums.hpp"

namespace koine::store {
namespace {

namespace fs = std::filesystem;

std::set<const ManifestTensor*> sample_of(const Manifest& manifest, double share) {
  std::map<std::string, const ManifestTensor*> shuffled;
  double wanted = 0;
  for (const ManifestTensor& tensor : manifest.tensors) {
    shuffled.emplace(sha256_of(tensor.name), &tensor);
    wanted += static_cast<double>(tensor.bytes()) * share;
  }
  std::set<const ManifestTensor*> chosen;
  double bytes = 0;
  for (const auto& [key, tensor] : shuffled) {
    if (!chosen.empty() && bytes >= wanted) break;
    chosen.insert(tensor);
    bytes += static_cast<double>(tensor->bytes());
  }
  return chosen;
}

}  // namespace

std::int64_t FileCheck::bytes_to_read() const noexcept {
  if (is_whole) return file->size;
  std::int64_t sum = 0;
  for (const ManifestTensor* tensor : tensors) sum += tensor->bytes();
  return sum;
}

std::vector<FileCheck> plan_checks(const Manifest& manifest, double share) {
  const bool is_sample = share < 1;
  const auto chosen = is_sample ? sample_of(manifest, share) : std::set<const ManifestTensor*>{};
  std::vector<FileCheck> checks;
  std::map<std::string_view, std::size_t> indices;
  for (const ManifestFile& file : manifest.files) {
    indices.emplace(file.path, checks.size());
    checks.emplace_back().file = &file;
  }
  for (const ManifestTensor& tensor : manifest.tensors) {
    FileCheck& check = checks[indices.at(tensor.shard)];
    check.is_whole = !is_sample;
    check.all_tensors.push_back(&tensor);
    if (!is_sample || chosen.contains(&tensor)) check.tensors.push_back(&tensor);
  }
  for (FileCheck& check : checks) {
    std::sort(
        check.tensors.begin(), check.tensors.end(),
        [](const ManifestTensor* a, const ManifestTensor* b) { return a->offset < b->offset; });
  }
  return checks;
}

std::map<std::string, bool> list_run_folder(const fs::path& run) {
  std::map<std::string, bool> found;
  std::error_code code;
  auto each = fs::recursive_directory_iterator(run, code);
  for (; !code && each != fs::recursive_directory_iterator(); each.increment(code)) {
    const std::string path = each->path().lexically_relative(run).generic_string();
    const fs::file_status status = each->symlink_status();
    if (may_differ(path)) {
      each.disable_recursion_pending();
    } else if (status.type() != fs::file_type::directory) {
      found.emplace(path, status.type() == fs::file_type::regular);
    }
  }
  if (code)
    throw StorageError(fmt::format("{}: cannot be listed: {}", run.string(), code.message()));
  return found;
}

}  // namespace koine::store
