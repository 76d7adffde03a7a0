#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "pipeline/sweep_folder.hpp"
#include "recipe/sweep.hpp"

namespace koine::pipeline {

/// A point as results.csv and the report show it.
struct PointRow {
  std::int64_t number = 0;
  std::optional<std::int64_t> same_as;  ///< the lowest number of this id, where it is another
  SeenPoint point;
  Json result;  ///< SweepFolder::result of its id
};

/// All rows of a sweep, by number.
struct SweepResults {
  const recipe::Sweep& sweep;
  std::vector<PointRow> rows;
  std::vector<Json> baselines;       ///< {kind, name, status, metrics}
  std::optional<std::int64_t> best;  ///< number
  std::vector<std::string> notes;    ///< points of other signatures that were not ranked
};

/// Gathers what the folder knows of these points, and ranks them: the best metric, of equal ones
/// the lowest number; only points of the commonest signature are ranked together.
[[nodiscard]] SweepResults gather_results(const recipe::Sweep& sweep, const SweepFolder& folder,
                                          const std::vector<std::int64_t>& numbers);

/// results.csv, results.json, report.html and, where there is a best point, best.yaml. The bytes
/// depend on the points and what is known of them alone. @throws StorageError
void write_results(const SweepResults& results, const SweepFolder& folder);

}  // namespace koine::pipeline
