#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "pipeline/plan.hpp"
#include "pipeline/progress.hpp"
#include "recipe/sweep.hpp"

namespace koine::pipeline {

/// One of several processes' jobs that divide a sweep's points among them: the distinct points are
/// dealt out in the order of the file. A part works in .koine/parts/NUMBER of the sweep's folder,
/// which it only reads; the whole sweep takes over what its parts have found.
struct SweepPart {
  int number = 0;  ///< from 1
  int of = 0;      ///< 0: this is no part
  [[nodiscard]] bool is_whole() const noexcept { return of == 0; }
};

struct SweepOptions {
  int threads = 1;
  std::int64_t memory = 0;             ///< bytes per process; 0: no limit
  std::filesystem::path cache;         ///< of factors; empty: .koine/cache of the sweep's folder
  std::vector<std::string> overrides;  ///< --set: change the recipe
  bool only_failed = false;            ///< evaluates again what failed, and nothing else
  bool only_statistics = false;        ///< evaluates and keeps nothing
  SweepPart part{};                    ///< .is_whole(): all of it
};

struct SweepOutcome {
  std::filesystem::path folder;
  std::int64_t points = 0, distinct = 0;
  std::int64_t computed = 0;   ///< distinct points whose statistics were made now
  std::int64_t evaluated = 0;  ///< commands run now
  std::int64_t failed = 0;     ///< points, baselines included, without a result
  std::int64_t matrices = 0, matrices_found = 0;  ///< factorised; whose factors the cache had
  std::optional<std::int64_t> best;               ///< number
  std::string best_settings;                      ///< "rank 7, density 0.2"
  std::optional<double> best_metric;
  std::vector<std::optional<double>> metrics;  ///< by point of the file; known on every process
  double seconds = 0;
  std::vector<std::string> notes;
};

/// Tells whoever watches, on the root if nothing else is said.
struct SweepWatcher {
  std::function<void(const std::string& line)> say;   ///< what happens now
  std::function<void(const std::string& note)> note;  ///< something the user should hear
  /// On every process: the folder is ours, and so many points are wanted (the root's figure counts;
  /// called again once it is known which of them are distinct).
  std::function<void(const std::filesystem::path& folder, std::int64_t points)> opened;
  /// On every process: the inputs of a merge are about to be read, for the figures of all points;
  /// it is over.
  std::function<void(const Plan& plan, const std::filesystem::path& folder)> reading;
  std::function<void()> reading_over;
  Progress* progress = nullptr;  ///< required
};

/// Runs a sweep into `folder`: numbers the points, makes the statistics of all that are new with
/// one reading of the inputs, evaluates them if the sweep says how, ranks them and writes
/// results.csv, results.json, report.html and best.yaml. The same again does what is left;
/// results.csv and results.json have the same bytes for any number of processes and threads, and
/// however often the sweep was stopped. Collective.
/// @throws InputError, StorageError, CommError, Interrupted; on any of them the sweep can be
/// resumed
[[nodiscard]] SweepOutcome sweep(const recipe::Sweep& sweep, const std::filesystem::path& folder,
                                 const SweepOptions& options, comm::Communicator& processes,
                                 const SweepWatcher& watcher);

}  // namespace koine::pipeline
