#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "pipeline/attempt.hpp"

namespace koine::pipeline {

/// How a run or a sweep goes, read from its folder alone.
struct RunStatus {
  enum class State : std::uint8_t {
    waiting,  ///< a job was submitted, nothing has begun
    running,  ///< its processes leave beats
    silent,   ///< its root process is there, and has left no beat for some time: stopped or hung
    stopped,  ///< by a signal, or killed: the same command goes on
    failed,   ///< ended with a message
    complete,
  };
  State state = State::waiting;
  bool is_sweep = false;
  std::int64_t done = 0;   ///< shards in the journal; points whose result is known
  std::int64_t total = 0;  ///< 0: not known
  std::int64_t steps = 0;  ///< whatever is finished and kept, factors and single evaluations too
  std::int64_t evaluated = 0;     ///< of a sweep's points
  std::int64_t unsuccessful = 0;  ///< of a sweep's points: failed or timed out
  std::optional<Attempt> attempt;
  std::vector<Beat> beats;         ///< of the last attempt, by rank
  std::optional<Ending> ending;    ///< the first of the last attempt
  std::int64_t silence = 0;        ///< seconds since the latest beat
  std::filesystem::path grows_in;  ///< where --fresh makes a run that will take this one's place

  [[nodiscard]] std::int64_t bytes() const;     ///< read and written, of all processes
  [[nodiscard]] std::int64_t matrices() const;  ///< of all processes
  [[nodiscard]] double seconds() const;         ///< from the start to the latest beat
  /// done: complete; interrupted: can go on; else the code that the last attempt ended with.
  [[nodiscard]] ExitCode code() const;
};

/// Waits up to 2.5 s where only that tells whether another machine still works here.
/// @throws InputError where the folder is neither a run's nor a sweep's
[[nodiscard]] RunStatus read_status(const std::filesystem::path& folder);

}  // namespace koine::pipeline
