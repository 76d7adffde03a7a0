#include "store/factor_cache.hpp"

#include <algorithm>
#include <ctime>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/hash.hpp"
#include "core/json.hpp"

namespace koine::store {
namespace {

namespace fs = std::filesystem;
constexpr const char* kMarker = "koine-cache.json";
constexpr const char* kSchema = "koine-cache-1";
constexpr const char* kExtension = ".factors";
constexpr std::int64_t kLargestMarker = 1 << 16;
constexpr std::int64_t kDeadAfter = 3600;  // seconds that nobody writes one file for

struct Entry {
  fs::path path;
  std::int64_t bytes = 0, used = 0;
  bool is_unfinished = false;
};

fs::path path_of(const fs::path& folder, const std::string& key) {
  const std::string name = sha256_of(key);
  return folder / name.substr(0, 2) / (name.substr(2, 38) + kExtension);
}

Json read_marker(const fs::path& folder) {
  try {
    Json marker = Json::parse(read_text_file(folder / kMarker, kLargestMarker));
    if (marker.at("schema") == kSchema) return marker;
  } catch (const std::exception&) {
    // told below
  }
  throw InputError(fmt::format("{}: is no factor cache: it has no {} of ours; name another folder",
                               folder.string(), kMarker));
}

void write_marker(const fs::path& folder, std::int64_t limit) {
  write_file_atomically(folder / kMarker,
                        to_text(Json{{"schema", kSchema}, {"limit_bytes", limit}}));
}

/// Whether there is nothing but a marker that is being written: several may open a new cache.
bool is_new(const fs::path& folder) {
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, none)) {
    if (!entry.path().filename().string().starts_with(kMarker)) return false;
  }
  return true;
}

/// Everything of ours. What vanishes meanwhile is left out: others may prune too.
std::vector<Entry> entries_of(const fs::path& folder) {
  std::vector<Entry> entries;
  std::error_code none;
  for (const fs::directory_entry& group : fs::directory_iterator(folder, none)) {
    if (group.path().filename().string().size() != 2 || !group.is_directory(none)) continue;
    for (const fs::directory_entry& file : fs::directory_iterator(group.path(), none)) {
      const bool is_unfinished = is_temporary(file.path());
      if (!is_unfinished && file.path().extension() != kExtension) continue;
      struct stat status {};
      if (::stat(file.path().c_str(), &status) != 0) continue;
      entries.push_back({file.path(), status.st_size, status.st_mtime, is_unfinished});
    }
  }
  return entries;
}

void add(CacheUse& use, const Entry& entry) {
  use.oldest = use.entries == 0 ? entry.used : std::min(use.oldest, entry.used);
  use.newest = std::max(use.newest, entry.used);
  ++use.entries;
  use.bytes += entry.bytes;
}

void remove(const Entry& entry) {
  std::error_code code;
  fs::remove(entry.path, code);
  if (code)
    throw StorageError(fmt::format("{}: removing: {}", entry.path.string(), code.message()));
}

}  // namespace

bool is_cache(const fs::path& folder) {
  std::error_code unknown;
  return fs::exists(folder / kMarker, unknown) || unknown;  // what cannot be seen is not taken away
}

FactorCache::FactorCache(fs::path folder) : folder_(std::move(folder)) {
  std::error_code none;
  if (is_new(folder_)) {
    make_folders(folder_);
    if (!fs::exists(folder_ / kMarker, none)) write_marker(folder_, 0);
  }
  (void)read_marker(folder_);
}

std::optional<lowrank::Rung> FactorCache::find(const std::string& key) const {
  const fs::path path = path_of(folder_, key);
  auto found = read_factors(path, key);
  if (found) ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);  // a cache may be read-only
  return found;
}

void FactorCache::keep(const std::string& key, const lowrank::Rung& rung) const {
  const fs::path path = path_of(folder_, key);
  make_folders(path.parent_path());
  write_factors(path, key, rung);
}

CacheUse use_of_cache(const fs::path& folder) {
  CacheUse use;
  use.limit = read_marker(folder).value("limit_bytes", std::int64_t{0});
  for (const Entry& entry : entries_of(folder)) {
    if (!entry.is_unfinished) add(use, entry);
  }
  return use;
}

CacheUse prune_cache(const fs::path& folder, std::int64_t bytes) {
  CacheUse removed;
  removed.limit = read_marker(folder).value("limit_bytes", std::int64_t{0});
  std::vector<Entry> entries = entries_of(folder);
  std::ranges::sort(entries, {}, &Entry::used);
  std::int64_t left = 0;
  for (const Entry& entry : entries) left += entry.is_unfinished ? 0 : entry.bytes;
  for (const Entry& entry : entries) {
    const bool is_dead = entry.is_unfinished && entry.used + kDeadAfter < std::time(nullptr);
    if (!is_dead && (entry.is_unfinished || left <= bytes)) continue;
    remove(entry);
    if (entry.is_unfinished) continue;
    left -= entry.bytes;
    add(removed, entry);
  }
  return removed;
}

void limit_cache(const fs::path& folder, std::int64_t bytes) {
  (void)read_marker(folder);
  write_marker(folder, bytes);
}

}  // namespace koine::store
