#pragma once

#include "pipeline/finish.hpp"
#include "pipeline/run_records.hpp"

namespace koine::pipeline {

/// report.json (per tensor and expert: figures of stats::TensorRow; totals) and report.html, in one
/// pass over the records: memory holds one shard's. Root only.
/// @throws VerifyError if the rows do not add up to run.totals bit for bit
void write_reports(const FinishedRun& run, RunRecords& records);

}  // namespace koine::pipeline
