#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cluster/job_script.hpp"
#include "cluster/settings.hpp"
#include "recipe/sweep.hpp"
#include "recipe_options.hpp"
#include "session.hpp"

namespace koine::jobs {

struct SubmitOptions : RecipeOptions {
  std::string cluster = "default", partition, account, launcher, time, begin;
  std::string cache, backend = "auto", transport = "auto";
  double stall = 60;
  std::vector<std::string> sbatch;
  int nodes = 1;
  int processes = 0;  ///< 0: one per GPU of the nodes, else one per node
  int cores = 0;  ///< per process; 0: the node's shared out where the cluster says how many it has
  int parts = 0;  ///< 0: as many as there are points, at most 16
  int max_requeues = 10;
  bool only_prints = false, only_tests = false, allow_nonfinite = false, as_json = false;
};

/// A job and what it waits for.
struct WantedJob {
  std::string purpose;  ///< as in SubmittedJob
  /// "afterok" or "afterany", and the purpose of a job before it.
  std::vector<std::pair<std::string, std::string>> waits_for;
  cluster::JobScript script;
};

/// The cluster's settings with what the command line says instead. @throws InputError
[[nodiscard]] cluster::Settings settings_of(const SubmitOptions& options);

/// Jobs that work in one folder, and the folder; none where all is done already.
struct WantedJobs {
  std::filesystem::path work;  ///< absolute
  std::vector<WantedJob> jobs;
  std::string forecast;  ///< one line: what the plan says of the work
};

/// One job. Makes the run's folder and writes its plan there: a recipe or inputs that change before
/// the job runs are refused by it. @throws InputError, StorageError
[[nodiscard]] WantedJobs jobs_of_merge(const Session& session, const SubmitOptions& options,
                                       const cluster::Settings& settings);

/// One job for the statistics, an array that evaluates, one that gathers; a single one where there
/// is nothing to evaluate or a search decides one point by the others. @throws InputError
[[nodiscard]] WantedJobs jobs_of_sweep(const Session& session, const SubmitOptions& options,
                                       const cluster::Settings& settings);

}  // namespace koine::jobs
