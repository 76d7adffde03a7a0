#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cluster/slurm.hpp"
#include "cluster/submission.hpp"
#include "pipeline/status.hpp"

namespace koine::jobs {

/// What `koine status` shows.
struct StatusView {
  std::string folder;  ///< as typed
  pipeline::RunStatus status;
  std::optional<cluster::Submission> submission;
  std::vector<cluster::JobState> jobs;  ///< of the submission, as Slurm has them now
  bool waits = false;                   ///< nothing works here now, and a job of those will
};

[[nodiscard]] std::string status_text(const StatusView& view);  ///< for people
[[nodiscard]] std::string status_json(const StatusView& view);  ///< for machines

/// What to type next; nothing while it runs.
[[nodiscard]] std::vector<std::string> next_commands(const StatusView& view);

}  // namespace koine::jobs
