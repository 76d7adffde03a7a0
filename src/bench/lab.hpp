#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "bench/figure.hpp"
#include "bench/matrices.hpp"
#include "bench/measure.hpp"
#include "pipeline/rates_file.hpp"

namespace koine::bench {

struct Options {
  std::vector<std::string> only;  ///< names of the suite's benches; empty: all
  std::vector<Shape> shapes;      ///< of the kernels' matrices: [rows, cols]
  std::vector<int> threads;       ///< each measured
  int repeats = 7;
  bool is_quick = false;         ///< small machine figures: to see that all works
  std::filesystem::path folder;  ///< an empty one for files
  std::string model = "tiny";    ///< of the whole merges
  int experts = 5;
  std::filesystem::path program;  ///< koine itself, for the whole merges
  /// Receives what the whole merges say of this machine's rates; may be empty.
  std::function<void(const pipeline::WorkerRates&)> rates;
};

/// A task's place in the table.
struct Label {
  std::string bench, dtype;
  Shape shape;
  int threads = 1;
};

/// What a bound was measured at, for any amount of the same work.
struct Rate {
  double per_second = 0;      ///< flops or bytes, of all threads
  double per_cpu_second = 0;  ///< of one thread
};

/// What every bench works with: settings, inputs, the machine's measured rates, and where figures
/// go. A rate is measured when it is first needed, and is a figure too.
class Lab {
 public:
  Lab(const Options& options, std::function<void(const Figure&)> emit)
      : options_(options), emit_(std::move(emit)) {}

  [[nodiscard]] const Options& options() const noexcept { return options_; }
  [[nodiscard]] Timing timing(int threads) const;
  /// Of the shape asked for last; made again where shape or threads change.
  const Matrices& matrices(const Shape& shape, int threads);

  Rate dgemm_rate(int threads);       ///< flops
  Rate sgemm_rate(int threads);       ///< flops
  Rate page_cache_rate(int threads);  ///< bytes read from files in the page cache
  Rate write_rate(int threads);       ///< bytes written and fsynced
  /// Bytes read and written by a copy where each thread moves about so many bytes.
  Rate copy_rate(double bytes, int threads);

  /// The work's flops of each precision at its gemm rate. `each` is one thread's work.
  Bound compute_bound(const Work& each, int threads);
  /// The larger of compute_bound and the work's bytes at the copy rate. `each` is one thread's
  /// work.
  Bound roofline(const Work& each, int threads);

  /// `each` is one thread's work, held against its roofline.
  void report(const Label& label, const Sample& sample, const Work& each, bool is_checked);
  void report(const Figure& figure);  ///< as it is

 private:
  Rate rate_of(const std::string& name, const Shape& shape, int threads,
               const std::function<Figure()>& measure_it);

  Options options_;
  std::function<void(const Figure&)> emit_;
  Matrices matrices_;
  std::map<std::string, Rate> rates_;
};

}  // namespace koine::bench
