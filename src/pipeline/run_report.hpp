#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/text_file.hpp"
#include "pipeline/finish.hpp"
#include "pipeline/run_records.hpp"
#include "report/merge_html.hpp"

namespace koine::pipeline {

/// report.json (per tensor and expert: figures of stats::TensorRow; totals) and report.html, tensor
/// by tensor: memory holds none of them. Destroyed before publish(), it leaves nothing. Root only.
class ReportWriter {
 public:
  explicit ReportWriter(const FinishedRun& run);  ///< keeps a reference  @throws StorageError

  /// @pre each tensor of the plan once, in its order  @throws StorageError
  void add(std::size_t tensor, RunRecords& records);

  /// @throws VerifyError if the rows do not add up to run.totals bit for bit; StorageError
  void publish();

 private:
  const FinishedRun& run_;
  std::vector<std::string> names_;  ///< of experts
  report::MergePage page_;
  stats::Totals serial_;
  TextFile file_;
};

}  // namespace koine::pipeline
