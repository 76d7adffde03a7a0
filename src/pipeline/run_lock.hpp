#pragma once

#include <filesystem>
#include <vector>

#include "core/file.hpp"

namespace koine::pipeline {

/// Locks folders for this process' life; released by the system when it ends, however it ends.
/// Where a file system's locks do not reach from machine to machine, or there are none, the beats
/// that working processes leave (attempt.hpp) stand in for them: a folder whose owner has been
/// silent for three seconds is taken over.
class RunLock {
 public:
  /// Waits up to three seconds where an earlier owner on another machine left no word of its end.
  /// @throws InputError where another process works in the folder, naming it; Interrupted
  void add(const std::filesystem::path& run);

 private:
  std::vector<File> files_;
};

}  // namespace koine::pipeline
