#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "core/file.hpp"

namespace koine {

/// A text file that grows piece by piece under a temporary name and takes its place at the end.
/// Memory: one buffer, whatever the length. Destroyed before publish(), it leaves nothing.
class TextFile {
 public:
  /// @throws as File::create
  explicit TextFile(std::filesystem::path path);
  ~TextFile();
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;

  void append(std::string_view piece);  ///< @throws StorageError
  /// fsync, rename, fsync of the folder. Last call. @throws StorageError
  void publish();

 private:
  void flush();

  std::filesystem::path path_, temporary_;
  File file_;
  std::string buffer_;
  std::int64_t written_ = 0;
  bool is_published_ = false;
};

}  // namespace koine
