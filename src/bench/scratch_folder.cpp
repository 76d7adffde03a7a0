#include "bench/scratch_folder.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include <fmt/format.h>

#include "core/error.hpp"

namespace koine::bench {

ScratchFolder::ScratchFolder(const std::filesystem::path& parent) {
  if (!std::filesystem::is_directory(parent)) {
    throw InputError(
        fmt::format("{}: no such folder; name one that exists with --scratch", parent.string()));
  }
  std::string pattern = (parent / "koine-bench-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    const int code = errno;
    const std::string message =
        fmt::format("{}: making a folder in it failed: {}; name another with --scratch",
                    parent.string(), std::strerror(code));
    if (code == EACCES || code == EROFS || code == EPERM) throw InputError(message);
    throw StorageError(message);
  }
  path_ = pattern;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace koine::bench
