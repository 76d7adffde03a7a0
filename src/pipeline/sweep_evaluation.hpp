#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "pipeline/sweep.hpp"
#include "pipeline/sweep_folder.hpp"

namespace koine::pipeline {

/// One checkpoint that the sweep's command judges.
struct EvaluationTask {
  std::string key;              ///< of SweepFolder::result: an id, or a baseline's
  std::string kind;             ///< "point", "base", "expert"
  std::string name;             ///< of its folder below points/: "17", "base", "expert-ca"
  std::string recipe;           ///< YAML of the merge that makes the checkpoint
  std::filesystem::path ready;  ///< a checkpoint that is there already; else empty
  std::vector<std::pair<std::string, std::string>> values;  ///< placeholders
};

/// Where a sweep, or a part of it, works.
struct SweepPlaces {
  std::filesystem::path work;  ///< of scratch files and of what is remembered
  std::filesystem::path home;  ///< the sweep's folder: points/ are there
};

/// What decides a command's answer beside the checkpoint: results of another are made again.
[[nodiscard]] std::string evaluation_digest(const recipe::Evaluation& evaluation);

/// Merges and exports one task's checkpoint after the other into a scratch folder,
/// while the commands of the ones before run, at most `workers` at once; notes each answer in the
/// folder once its command has ended and a place is wanted. At most workers + 1 checkpoints are on
/// the disk. Collective; `folder` is null elsewhere than on the root.
/// @throws as merge, export_run, evaluate
void evaluate_tasks(const recipe::Sweep& sweep, const std::vector<EvaluationTask>& tasks,
                    const SweepPlaces& places, const SweepOptions& options, SweepFolder* folder,
                    comm::Communicator& processes, const SweepWatcher& watcher);

/// Merges a recipe's text, which is written into `folder`, into the run folder `target`.
/// Collective.
void merge_text(const std::string& recipe, const std::filesystem::path& folder,
                const std::filesystem::path& target, const SweepOptions& options,
                comm::Communicator& processes, Progress& progress);

}  // namespace koine::pipeline
