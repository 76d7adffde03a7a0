#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "backend/gpu.hpp"
#include "comm/communicator.hpp"
#include "pipeline/plan.hpp"
#include "pipeline/progress.hpp"
#include "recipe/recipe.hpp"
#include "stats/rows.hpp"

namespace koine::pipeline {

/// How to start the same merge again (kept in .koine/origin.json).
struct Origin {
  std::string recipe_file;
  std::vector<std::string> overrides;  ///< --set
  bool allow_nonfinite = false;
};

struct MergeOptions {
  int threads = 1;
  std::int64_t memory = 0;  ///< bytes per process; 0: no limit
  bool start_over = false;  ///< --fresh
  bool allow_nonfinite = false;
  Origin origin;
  std::filesystem::path cache{};      ///< of factors; empty: none is used
  const backend::Gpu* gpu = nullptr;  ///< where selected matrices are worked on; null: on the CPU
  bool must_use_gpu = false;  ///< where one is too small: ends the merge, else the CPU does it
};

/// What happened, for the summary. Complete on the root; elsewhere only this process' part.
struct MergeOutcome {
  std::filesystem::path folder;
  bool was_complete = false;  ///< nothing had to be done
  std::int64_t shards = 0, shards_reused = 0;
  std::int64_t tensors = 0;
  std::int64_t matrices = 0;                       ///< factorised
  std::int64_t matrices_found = 0;                 ///< whose factors the cache had
  std::int64_t bytes_read = 0, bytes_written = 0;  ///< of all processes
  std::int64_t peak_memory = 0;                    ///< largest of all processes
  double seconds = 0;
  stats::Totals totals;
  std::vector<std::string> expert_names;
  std::vector<std::string> notes;  ///< for the user, once
};

/// Tells whoever watches: called on every process as the run goes on, from its own thread or the
/// main one.
struct MergeWatcher {
  std::function<void(const Plan& plan, const Inputs& inputs, const std::filesystem::path& run,
                     int threads)>
      planned;
  std::function<void(const std::string& note)> note;  ///< root only: something the user should hear
  Progress* progress = nullptr;                       ///< required
};

/// Merges as the recipe says into `target`. Collective: every process calls it with the same
/// arguments. The files that may not differ have the same bytes for any number of processes and
/// threads, and however often the run was stopped and started again.
/// @throws InputError, DeviceError, StorageError, CommError, Interrupted; on any of them the run
/// can be resumed
[[nodiscard]] MergeOutcome merge(const recipe::Recipe& recipe, const std::filesystem::path& target,
                                 const MergeOptions& options, comm::Communicator& processes,
                                 const MergeWatcher& watcher);

}  // namespace koine::pipeline
