#pragma once

#include <string>
#include <vector>

#include "pipeline/export.hpp"
#include "store/manifest.hpp"

namespace koine::pipeline {

/// What export_run has opened and checked.
struct ExportSource {
  const ExportOptions& options;
  const store::Manifest& manifest;
  const checkpoint::Checkpoint& run;
};

/// Writes the weights into `folder`; fills tensors and bytes of `result` and appends the files'
/// names.
void export_weights(const ExportSource& source, const std::filesystem::path& folder,
                    ExportResult& result);

/// The dtype that most bytes of the exported float tensors have (config.json names one).
[[nodiscard]] DType main_dtype(const ExportSource& source);

}  // namespace koine::pipeline
