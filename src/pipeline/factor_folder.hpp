#pragma once

#include <filesystem>
#include <string>

#include "lowrank/truncated_svd.hpp"
#include "methods/method.hpp"
#include "pipeline/progress.hpp"
#include "pipeline/tensor_reader.hpp"

namespace koine::pipeline {

/// One expert's part in one matrix, and what it was read as.
struct FactorPlace {
  std::size_t tensor = 0, expert = 0;    ///< numbers in the plan
  std::string base_print, expert_print;  ///< fingerprints of the bytes that tau was made from
};

/// The factors that a run keeps between finding its thresholds and merging, under .koine/factors:
/// one file per matrix and expert, so that neither a later stage nor a run that was killed makes
/// them twice. An entry counts only where fingerprints, arithmetic and parameters are the same.
class FactorFolder {
 public:
  /// Makes the folder. @throws StorageError
  FactorFolder(const std::filesystem::path& run, std::string arithmetic);

  /// Reads factors, or makes and keeps them. Thread-safe for different places.
  /// @throws StorageError
  [[nodiscard]] lowrank::Factors find_or_make(const FactorPlace& place, MatrixView tau,
                                              const methods::PruneParameters& parameters,
                                              lowrank::Workspace& workspace,
                                              Progress& progress) const;

  /// Root only, when nothing is left to merge.
  static void remove(const std::filesystem::path& run);

 private:
  std::filesystem::path folder_;
  std::string arithmetic_;
};

/// The parameters of one expert's part in a matrix, whose factors come from the context's folder
/// where it has one. Keeps references; call it after the expert's matrix has been read.
[[nodiscard]] methods::PruneParameters prune_parameters(const PlannedTensor& planned,
                                                        std::size_t expert,
                                                        const MergeContext& context,
                                                        const TensorReader& reader);

}  // namespace koine::pipeline
