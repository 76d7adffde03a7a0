#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "pipeline/command_text.hpp"
#include "pipeline/evaluate_answer.hpp"

namespace koine::pipeline {

/// One run of a sweep's evaluation command.
struct EvaluationCall {
  std::string command;                 ///< for `sh -c`, with {checkpoint}, {result}, {rank} …
  std::filesystem::path folder;        ///< of the sweep file: where the command runs; empty: here
  std::filesystem::path point_folder;  ///< KOINE_POINT_DIR, made if missing: stdout.txt, stderr.txt
                                       ///< and result.json of this run lie there
  CommandValues values;  ///< checkpoint, point, id, kind, seed and every parameter (`result` is
                         ///< ours): the placeholders, and as KOINE_* the environment
  double timeout_seconds = 0;  ///< 0: none
  WantedMetric metric;
  std::chrono::milliseconds grace{5000};  ///< from SIGTERM to SIGKILL
};

enum class EvaluationStatus : std::uint8_t {
  done,       ///< there is a metric
  failed,     ///< an exit code other than 0 and 75, whatever it may have written
  timed_out,  ///< ended by us
  try_again,  ///< exit code 75, or the system had no room for a process
  no_answer,  ///< exit code 0 without a finite metric
};

/// What came of it; the answer is empty but for `message` where the command did not end well.
struct Evaluated : Answer {
  EvaluationStatus status = EvaluationStatus::failed;
  int exit_code = 0;  ///< 128 + signal where one ended it
  double seconds = 0;
};

/// Runs the command and reads its answer. Results of an earlier run are removed first; nothing that
/// the command started in its process group outlives the call, nor this process. May be called by
/// several threads at once, for different point folders.
/// @throws InputError (before anything runs: an unknown placeholder, a bad regex, no such folder),
///         StorageError, Interrupted where a stop was requested meanwhile
[[nodiscard]] Evaluated evaluate(const EvaluationCall& call);

/// Removes what a command that failed left in its point's folder, but for what it said, and for
/// `kept`, which is not its own. Returns whether there was anything.
bool remove_leftovers(const std::filesystem::path& point_folder, std::string_view kept);

}  // namespace koine::pipeline
