#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/lab.hpp"

namespace koine::bench {

struct BenchRow {
  std::string name, purpose;
};

/// Every bench, in the order they run: the machine's own rates, kernels, whole merges.
[[nodiscard]] std::vector<BenchRow> suite();

/// Measures what is asked for and hands each figure over as it is made. False where a result did
/// not agree with its definition. BLAS is left with one thread. Local.
/// @pre options.threads and options.shapes hold what kernels need: at least one each
/// @throws InputError for a name that the suite has not, StorageError, Interrupted
[[nodiscard]] bool run_suite(const Options& options,
                             const std::function<void(const Figure&)>& emit);

}  // namespace koine::bench
