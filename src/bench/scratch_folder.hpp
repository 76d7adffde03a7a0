#pragma once

#include <filesystem>

namespace koine::bench {

/// A fresh folder below `parent`, removed with all in it at the end.
class ScratchFolder {
 public:
  /// @throws InputError where `parent` is no folder, StorageError
  explicit ScratchFolder(const std::filesystem::path& parent);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace koine::bench
