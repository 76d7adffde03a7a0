#pragma once

#include <vector>

#include "pipeline/finish.hpp"
#include "store/journal.hpp"

namespace koine::pipeline {

/// report.json (per tensor and expert: figures of stats::TensorRow; totals) and report.html made
/// from it. Root only.
/// @throws VerifyError if the rows do not add up to run.totals bit for bit
void write_reports(const FinishedRun& run, const std::vector<store::ShardRecord>& records);

}  // namespace koine::pipeline
