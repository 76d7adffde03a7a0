#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace koine::bench {

struct ChildResult {
  double seconds = 0;  ///< from the start of the process to its end
  std::string output;  ///< what it wrote to stdout
};

/// Runs a program to its end, its stdout and stderr in files in `folder`. A stop that is requested
/// meanwhile is passed on.
/// @throws Error with the last line of its stderr where it fails, Interrupted
[[nodiscard]] ChildResult run_child(const std::vector<std::string>& command,
                                    const std::filesystem::path& folder);

}  // namespace koine::bench
