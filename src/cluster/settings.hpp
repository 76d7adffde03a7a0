#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace koine::cluster {

/// How jobs ask for GPUs.
enum class GpuRequest : std::uint8_t { none, per_node, per_task, gres };
enum class Launcher : std::uint8_t { srun, mpirun };

/// A cluster's own ways, as its YAML file says them (docs/reference/clusters.md has every key).
/// Empty texts and zeros: not said.
struct Settings {
  std::string name;  ///< of the file, without its ending
  std::string partition, account, qos, constraint, reservation;
  std::vector<std::string> sbatch;   ///< further options: "--exclusive"
  std::vector<std::string> modules;  ///< for `module load`
  std::string setup;                 ///< lines for sh, before the program starts
  Launcher launcher = Launcher::srun;
  std::vector<std::string> launcher_options;
  std::string program;                 ///< empty: the koine that submits
  std::vector<std::string> container;  ///< what starts a program in its image, image included
  GpuRequest gpu_request = GpuRequest::none;
  std::string gpu_type;
  int gpus_per_node = 0;
  int cores_per_node = 0;
  std::int64_t memory_per_node = 0;  ///< bytes
  double max_time = 0;               ///< seconds
  std::string rates;                 ///< absolute path of what koine bench --rates wrote there
  int signal_seconds = 120;          ///< before the time limit: when a job is told to stop
};

/// A file of that name; else NAME.yaml in ~/.config/koine/clusters or /etc/koine/clusters; else
/// one that came with the program: "default", "gpu". @throws InputError, all problems at once
[[nodiscard]] Settings read_settings(const std::string& name_or_file);

/// Every key of a cluster file, for docs and messages.
[[nodiscard]] const std::vector<std::string>& known_settings();

/// "2-12:00:00", "36:00:00", "90:00", "90" (minutes), as Slurm reads times, in seconds.
[[nodiscard]] double slurm_seconds(const std::string& text);  ///< 0 where it is none

}  // namespace koine::cluster
