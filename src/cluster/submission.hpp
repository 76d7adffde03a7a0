#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace koine::cluster {

/// A job that was handed to Slurm.
struct SubmittedJob {
  std::string id;       ///< empty: written, not handed over
  std::string purpose;  ///< "merge", "statistics", "points", "gather"
  std::string script;   ///< its path
};

/// What `koine submit` leaves in .koine/job of a run's or sweep's folder.
struct Submission {
  std::string command;  ///< the `koine submit …` that made it
  std::string folder;   ///< in which it was typed
  std::vector<SubmittedJob> jobs;
};

/// .koine/job of a folder.
[[nodiscard]] std::filesystem::path job_folder(const std::filesystem::path& work);

/// Atomic. @throws StorageError
void write_submission(const std::filesystem::path& work, const Submission& submission);
/// Nothing where nothing was submitted, or it cannot be read.
[[nodiscard]] std::optional<Submission> read_submission(const std::filesystem::path& work);

}  // namespace koine::cluster
