#pragma once

#include <functional>
#include <span>
#include <vector>

#include "bench/figure.hpp"

namespace koine::bench {

/// One task, done by every thread on data of its own.
struct Task {
  std::function<void(int thread)> run;
  std::function<void(int thread)> prepare;  ///< before each run, not timed; may be empty
};

struct Timing {
  int threads = 1;
  int repeats = 7;
  double least_seconds = 0.005;  ///< of one repeat: shorter tasks are run several times in it
};

/// Seconds of a task in each repeat: of the slowest thread, and CPU time per thread.
struct Sample {
  std::vector<double> seconds, cpu;
};

/// Warms up, then runs the tasks in turn, `repeats` times, all threads at once: tasks that are
/// compared meet the same neighbours on a shared machine. What a task throws is thrown again here.
/// @throws Interrupted
[[nodiscard]] std::vector<Sample> measure(std::span<const Task> tasks, const Timing& timing);
[[nodiscard]] Sample measure(const Task& task, const Timing& timing);

/// Repeat by repeat, what `whole` takes longer than `part`.
[[nodiscard]] Sample difference(const Sample& whole, const Sample& part);

/// Median and 90th percentile; nothing below 0 (differences can be).
[[nodiscard]] Spread spread_of(const Sample& sample);

}  // namespace koine::bench
