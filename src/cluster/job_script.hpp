#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "cluster/settings.hpp"

namespace koine::cluster {

/// What a job asks for.
struct JobShape {
  int nodes = 1;
  int processes = 1;  ///< of all nodes
  int cores = 0;      ///< per process; 0: the queue's default
  int gpus_per_node = 0;
  std::int64_t memory = 0;        ///< bytes per node; 0: the queue's default
  double seconds = 0;             ///< time limit; 0: the queue's default
  int first_part = 0, parts = 0;  ///< an array of so many tasks; 0: one job
  std::string begin;              ///< sbatch --begin; empty: at once

  [[nodiscard]] int processes_per_node() const { return (processes + nodes - 1) / nodes; }
};

/// Everything that a job's script says.
struct JobScript {
  std::string name;  ///< of the job: "koine-five"
  std::string what;  ///< one line for a reader: "koine merge lors.yaml"
  /// The folder whose status tells how the job goes, of an array the folder of theirs; absolute.
  std::filesystem::path work;
  std::filesystem::path job;         ///< where its log goes; absolute
  std::filesystem::path folder;      ///< in which the command runs; absolute
  std::string program;               ///< absolute; the cluster's own goes before it
  std::vector<std::string> command;  ///< words of the command; "$SLURM_…" is replaced by its value
  int max_requeues = 10;
  std::string version;
  JobShape shape;
};

/// slurm/job.sbatch, filled in. @throws InputError for a path that no directive can hold
[[nodiscard]] std::string text_of(const JobScript& script, const Settings& settings);

/// "2-03:30:00", "00:15:00": a time limit, rounded up to minutes.
[[nodiscard]] std::string slurm_time(double seconds);

}  // namespace koine::cluster
