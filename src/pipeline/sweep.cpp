#include "pipeline/sweep.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "pipeline/sweep_run.hpp"
#include "pipeline/sweep_search.hpp"

namespace koine::pipeline {

SweepOutcome sweep(const recipe::Sweep& sweep, const std::filesystem::path& folder,
                   const SweepOptions& options, comm::Communicator& processes,
                   const SweepWatcher& watcher) {
  using Method = recipe::Search::Method;
  const bool is_chosen_by_results = sweep.search && sweep.search->method != Method::random;
  if (is_chosen_by_results && (!options.part.is_whole() || options.only_statistics)) {
    throw InputError(fmt::format(
        "{}: its search decides each point by the results of others; run it whole, without --part "
        "and --only statistics",
        sweep.file));
  }
  if (sweep.search && sweep.search->method == Method::golden)
    return search_golden(sweep, folder, options, processes, watcher);
  if (sweep.search && sweep.search->method == Method::halving)
    return search_halving(sweep, folder, options, processes, watcher);
  return run_points(sweep, folder, options, {}, processes, watcher);
}

}  // namespace koine::pipeline
