#pragma once

#include <filesystem>
#include <string>
#include <vector>

/// Slurm's own commands, as found on PATH.
namespace koine::cluster {

/// A job as squeue or scontrol names it.
struct JobState {
  std::string id;      ///< "12", "12_3"
  std::string state;   ///< "PENDING", "RUNNING", "COMPLETED", …; empty: Slurm has forgotten it
  std::string reason;  ///< "Resources"; "None" where there is none
};

/// Whether Slurm will run it, or does.
[[nodiscard]] bool is_live(const JobState& job);

/// Of each of these jobs, an array's tasks apart; empty where Slurm is not to be had or does not
/// answer within five seconds.
[[nodiscard]] std::vector<JobState> job_states(const std::vector<std::string>& ids);

/// What sbatch says of a script.
struct SbatchAnswer {
  int code = 0;         ///< sbatch's exit code
  std::string id;       ///< of the job, where it was taken
  std::string message;  ///< what sbatch printed on stderr
};

/// Hands a script to sbatch from within `folder`; with `is_test` it only asks (--test-only).
/// @param options go before the script: "--dependency=afterok:12"
/// @throws InputError where there is no sbatch on PATH
[[nodiscard]] SbatchAnswer sbatch(const std::filesystem::path& script,
                                  const std::filesystem::path& folder,
                                  const std::vector<std::string>& options, bool is_test);

}  // namespace koine::cluster
