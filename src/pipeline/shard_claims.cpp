#include "pipeline/shard_claims.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/file.hpp"

namespace koine::pipeline {
namespace {

std::filesystem::path folder_of(const std::filesystem::path& run) {
  return run / ".koine" / "claims";
}

/// 0, or what open(2) says.
int create(const std::filesystem::path& claim) {
  const int file = ::open(claim.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file < 0) return errno;
  ::close(file);
  return 0;
}

}  // namespace

ShardClaims::ShardClaims(const std::filesystem::path& run) : folder_(folder_of(run)) {}

void ShardClaims::forget(const std::filesystem::path& run) noexcept {
  std::error_code none;
  std::filesystem::remove_all(folder_of(run), none);
}

bool ShardClaims::take(const std::string& shard) const {
  if (folder_.empty()) return true;
  const std::filesystem::path claim = folder_ / shard;
  int error = create(claim);
  if (error == ENOENT) {  // the first one
    make_folders(folder_);
    error = create(claim);
  }
  if (error == 0) return true;
  if (error == EEXIST) return false;
  throw StorageError(fmt::format("{}: cannot be created: {}; run the same command again",
                                 claim.string(), std::strerror(error)));
}

}  // namespace koine::pipeline
