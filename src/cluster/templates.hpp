#pragma once

#include <string>
#include <utility>
#include <vector>

/// The files of slurm/, which the program carries with it.
namespace koine::cluster {

/// slurm/job.sbatch.
[[nodiscard]] const char* job_template();

/// slurm/clusters/NAME.yaml: name and text.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> own_clusters();

}  // namespace koine::cluster
