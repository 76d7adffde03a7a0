#pragma once

#include <string>
#include <utility>

#include "pipeline/export.hpp"
#include "pipeline/sweep.hpp"

namespace koine::pipeline {

/// "runs/sweep#17" or "runs/sweep#3fa9" in two; the second part is empty where there is no #, or a
/// folder of the whole name.
[[nodiscard]] std::pair<std::string, std::string> split_point(const std::string& run);

/// Makes a sweep's point again, with the bytes of a lone merge, and exports it. `options.run` is
/// SWEEP#POINT; the merge grows beside options.output and is removed. Factors come from the cache
/// (empty: the sweep's own), where it still has them. Local.
/// @throws InputError (no such sweep or point), and as merge and export_run
[[nodiscard]] ExportResult export_point(ExportOptions options, const SweepOptions& how,
                                        Progress& progress);

}  // namespace koine::pipeline
