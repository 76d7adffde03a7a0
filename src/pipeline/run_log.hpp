#pragma once

#include <filesystem>
#include <string>

namespace koine::pipeline {

/// Appends "2026-11-23T21:40:36Z text" to run.log, the one file of a run folder made for reading.
/// Root only. A log that cannot be written is no reason to stop: errors are ignored.
void log_line(const std::filesystem::path& run, const std::string& text);

}  // namespace koine::pipeline
