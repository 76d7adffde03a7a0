#include "bench/measure.hpp"

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cmath>
#include <ctime>
#include <exception>
#include <mutex>
#include <thread>

#include "core/stop.hpp"

namespace koine::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kMostRuns = 10000;  // of a task in one repeat
constexpr double kLongEnough = 0.1;  // seconds: one warm-up is enough

double cpu_seconds(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct Spent {
  double seconds = 0, cpu = 0;
};

/// One thread of a team and the clock that counts its CPU time.
struct Runner {
  int thread = 0;
  clockid_t clock = CLOCK_THREAD_CPUTIME_ID;
};

Spent run_once(const Task& task, const Runner& runner) {
  if (task.prepare) task.prepare(runner.thread);
  const double cpu = cpu_seconds(runner.clock);
  const auto start = Clock::now();
  task.run(runner.thread);
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return {seconds, cpu_seconds(runner.clock) - cpu};
}

Spent run_often(const Task& task, int runs, const Runner& runner) {
  if (task.prepare || runs == 1) {
    Spent sum;
    for (int i = 0; i < runs; ++i) {
      const Spent one = run_once(task, runner);
      sum.seconds += one.seconds;
      sum.cpu += one.cpu;
    }
    return sum;
  }
  const auto several = [&](int thread) {
    for (int i = 0; i < runs; ++i) task.run(thread);
  };
  const Task repeated{several, {}};
  return run_once(repeated, runner);
}

/// Threads that start each round together; the caller is thread 0.
class Team {
 public:
  explicit Team(int threads)
      : spent_(static_cast<std::size_t>(threads)), gate_(static_cast<std::ptrdiff_t>(threads)) {
    for (int thread = 1; thread < threads; ++thread)
      workers_.emplace_back([this, thread] { follow(thread); });
  }
  ~Team() {
    task_ = nullptr;
    gate_.arrive_and_wait();
    for (std::thread& worker : workers_) worker.join();
  }
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  /// Every thread runs the task `runs` times. The slowest thread's seconds, the mean CPU time, of
  /// one run.
  Spent round(const Task& task, int runs) {
    throw_if_stopped();
    task_ = &task;
    runs_ = runs;
    gate_.arrive_and_wait();
    work(0);
    gate_.arrive_and_wait();
    if (failure_) std::rethrow_exception(failure_);
    Spent all;
    for (const Spent& one : spent_) {
      all.seconds = std::max(all.seconds, one.seconds / runs);
      all.cpu += one.cpu / runs / static_cast<double>(spent_.size());
    }
    return all;
  }

 private:
  void follow(int thread) {
    for (;;) {
      gate_.arrive_and_wait();
      if (task_ == nullptr) return;
      work(thread);
      gate_.arrive_and_wait();
    }
  }

  void work(int thread) {
    try {
      // A task that is alone may bring threads of its own: the process' clock counts them too.
      const bool is_alone = spent_.size() == 1;
      const Runner runner{thread, is_alone ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_THREAD_CPUTIME_ID};
      spent_[static_cast<std::size_t>(thread)] = run_often(*task_, runs_, runner);
    } catch (...) {
      const std::lock_guard lock(guard_);
      if (!failure_) failure_ = std::current_exception();
    }
  }

  std::vector<Spent> spent_;
  std::barrier<> gate_;
  const Task* task_ = nullptr;
  int runs_ = 1;
  std::mutex guard_;
  std::exception_ptr failure_;
  std::vector<std::thread> workers_;
};

int runs_for(double least_seconds, double seconds) {
  return static_cast<int>(
      std::clamp(std::ceil(least_seconds / std::max(seconds, 1e-9)), 1.0, kMostRuns));
}

double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const auto count = static_cast<double>(values.size());
  const auto at = static_cast<std::size_t>(std::max(std::ceil(share * count), 1.0)) - 1;
  return std::max(values.at(at), 0.0);
}

}  // namespace

std::vector<Sample> measure(std::span<const Task> tasks, const Timing& timing) {
  Team team(timing.threads);
  std::vector<int> runs;
  for (const Task& task : tasks) {
    double seconds = team.round(task, 1).seconds;
    if (seconds < kLongEnough) seconds = team.round(task, 1).seconds;
    runs.push_back(runs_for(timing.least_seconds, seconds));
  }
  std::vector<Sample> samples(tasks.size());
  for (int repeat = 0; repeat < timing.repeats; ++repeat) {
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      const Spent spent = team.round(tasks[i], runs[i]);
      samples[i].seconds.push_back(spent.seconds);
      samples[i].cpu.push_back(spent.cpu);
    }
  }
  return samples;
}

Sample measure(const Task& task, const Timing& timing) {
  return measure(std::span(&task, 1), timing).front();
}

Sample difference(const Sample& whole, const Sample& part) {
  Sample rest = whole;
  for (std::size_t i = 0; i < rest.seconds.size(); ++i) {
    rest.seconds[i] -= part.seconds[i];
    rest.cpu[i] -= part.cpu[i];
  }
  return rest;
}

Spread spread_of(const Sample& sample) {
  return {quantile(sample.seconds, 0.5), quantile(sample.seconds, 0.9), quantile(sample.cpu, 0.5)};
}

}  // namespace koine::bench
