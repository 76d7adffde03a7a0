#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/shape.hpp"

/// Measurements of this machine's kernels and of whole merges (docs/benchmarks.md has the
/// formulas).
namespace koine::bench {

/// What a task needs at least, however it is done. One thread's share, unless said otherwise.
struct Work {
  double flops = 0;    ///< multiplications and additions in float64
  double flops32 = 0;  ///< and in float32
  double bytes = 0;    ///< read and written once
  double elements = 0;

  [[nodiscard]] double all_flops() const noexcept { return flops + flops32; }
};

/// The measured rate of this machine that a figure is held against.
struct Bound {
  std::string name;        ///< the figure that measured it: "dgemm", "copy", …
  double flops_per_s = 0;  ///< one of the two
  double bytes_per_s = 0;
  double seconds = 0;      ///< that the work takes at that rate
  double cpu_seconds = 0;  ///< CPU time per thread at the bound's own; 0 where that says nothing
};

/// Seconds of one repeat in which every thread does its task once.
struct Spread {
  double median = 0, p90 = 0;
  double cpu = 0;  ///< median of the threads' CPU time, per thread; 0 where it is not known
};

/// What a whole merge adds.
struct MergeFacts {
  std::string model;
  int experts = 0;
  std::int64_t peak_memory = 0;  ///< bytes of the process
};

/// One result: a row of the table, a line of JSON.
struct Figure {
  std::string bench, dtype;
  Shape shape;
  int threads = 1;  ///< each with a task of its own
  int repeats = 1;
  Spread seconds{};
  Work work{};                   ///< of all threads
  std::optional<Bound> bound{};  ///< none where the figure itself is a bound
  bool is_checked = false;       ///< the result agrees with its plain definition
  std::optional<MergeFacts> merge{};

  /// bound.seconds / median: 1 is as fast as the bound. Nothing where there is no bound or no time.
  [[nodiscard]] std::optional<double> ratio_to_bound() const noexcept;
  /// The same by CPU time, which neighbours on a shared machine disturb less.
  [[nodiscard]] std::optional<double> ratio_to_bound_by_cpu() const noexcept;
};

/// Where and with what the figures were measured.
struct Machine {
  std::string version, commit;
  std::string cpu, blas;
  int cores = 1;  ///< that this process may use
};

/// "AMD EPYC 9B14", as the system calls it; "unknown" where it does not.
[[nodiscard]] std::string cpu_name();

/// One line of JSON without its newline: always the same keys, null where one does not apply, units
/// in their names, six significant digits.
[[nodiscard]] std::string to_json_line(const Figure& figure, const Machine& machine);

}  // namespace koine::bench
