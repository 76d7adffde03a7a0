#pragma once

#include <string>
#include <vector>

#include "pipeline/merge.hpp"
#include "pipeline/run_folder.hpp"
#include "stats/rows.hpp"

namespace koine::pipeline {

/// Everything the root needs to complete a run folder.
struct FinishedRun {
  const recipe::Recipe& recipe;
  const Inputs& inputs;
  const Plan& plan;
  const Identity& identity;
  const RunFolder& folder;
  const stats::Totals& totals;  ///< all-reduced
};

/// Root only, after every shard is in the journal: copies the base's files, writes model.h5,
/// report.json, report.html, SHA256SUMS and, last, manifest.json. The bytes depend on the journal,
/// the recipe and the inputs alone. One pass over the journal. Returns journal_notes.
/// @throws VerifyError if report.json's rows do not add up to `totals` bit for bit
std::vector<std::string> finish_run(const FinishedRun& run);

/// Root only: whether a complete run's manifest tells of the very shards that the journal holds,
/// and everything else (master, reports, sums, copies) is as the manifest says. Shards themselves
/// are not read.
[[nodiscard]] bool is_finished(const FinishedRun& run);

/// Root only: what the journal notes for the user, once per expert.
[[nodiscard]] std::vector<std::string> journal_notes(const FinishedRun& run);

/// Root only: timing.json from every process' line (JSON texts in rank order).
void write_timing(const std::filesystem::path& run, const std::vector<std::string>& ranks,
                  double seconds);

/// This process' line for timing.json.
[[nodiscard]] std::string timing_of(int rank, const Progress& progress, const IoCount& io);

/// Configuration and tokenizer files that travel with a base checkpoint and stand beside it.
[[nodiscard]] std::vector<std::filesystem::path> companion_files(
    const checkpoint::Checkpoint& base);

}  // namespace koine::pipeline
