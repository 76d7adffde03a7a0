#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace koine::pipeline {

/// What the processes of a job leave in .koine of the folder they work in, so that `koine status`
/// can say how it goes, on any machine that sees the folder. Nothing of it decides what a merge
/// does. Times are seconds since 1970 by the writer's clock.
/// Writers ignore a disk that is full or gone: the fault itself is told elsewhere.

/// One start of a merge or a sweep.
struct Attempt {
  std::string host;          ///< of the root process
  std::int64_t process = 0;  ///< its id there
  std::string job;           ///< Slurm's job id; empty outside Slurm
  std::string command;       ///< to go on, as a line for sh
  std::string folder;        ///< in which the command was typed
  std::string cache;         ///< of factors: what it gains is progress too; empty: none
  std::int64_t started = 0;
  int processes = 1;
  int threads = 1;                                  ///< per process
  std::int64_t bytes = 0, matrices = 0, units = 0;  ///< to do: of all processes; shards or points
};

/// How far a process is; written anew every second, so that a count that stands still for some
/// seconds means that the process is gone, stopped or cut off.
struct Beat {
  int rank = 0;
  std::string host;
  std::int64_t process = 0;
  std::int64_t count = 0;  ///< of beats so far
  std::int64_t time = 0;
  std::int64_t bytes = 0, tensors = 0, matrices = 0;
};

/// How a process ended, by its own account; one that was killed leaves none.
struct Ending {
  int rank = 0;
  double time = 0;
  int code = 0;  ///< koine's exit code
  std::string message;
};

/// This process' host, process id and, in a Slurm job, job id; the rest is the caller's.
[[nodiscard]] Attempt attempt_of_this_process();

/// Forgets the beats and endings of earlier attempts. Root only, before other processes leave any.
void forget_attempt(const std::filesystem::path& work);
void note_attempt(const std::filesystem::path& work, const Attempt& attempt);  ///< root only
void note_beat(const std::filesystem::path& work, const Beat& beat);
void note_ending(const std::filesystem::path& work, const Ending& ending);

/// Nothing where there is none, or it cannot be read.
[[nodiscard]] std::optional<Attempt> read_attempt(const std::filesystem::path& work);
[[nodiscard]] std::vector<Beat> read_beats(const std::filesystem::path& work);  ///< by rank
/// By time, faults before stops: of a job that fails, other processes are told to stop.
[[nodiscard]] std::vector<Ending> read_endings(const std::filesystem::path& work);

/// "host n3, process 4711, job 12".
[[nodiscard]] std::string who(const Attempt& attempt);

}  // namespace koine::pipeline
