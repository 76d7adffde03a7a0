#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "pipeline/run_folder.hpp"
#include "sparse/keep_largest.hpp"
#include "store/journal.hpp"
#include "store/manifest.hpp"

namespace koine::pipeline {

/// What falls to one selected matrix of the experts' budgets.
struct MatrixBudget {
  std::vector<std::string> inputs;            ///< fingerprints that it holds for; none: not known
  std::vector<sparse::Threshold> thresholds;  ///< per expert
};

/// density_over: model: every expert's k = int(sum of numel * density) largest |tau - L| over all
/// selected matrices, as one threshold per expert and a share of it per matrix.
struct ModelBudget {
  std::vector<MatrixBudget> matrices;  ///< by tensor; empty where a tensor is not pruned

  /// Whether a shard's record was made with these very thresholds.
  [[nodiscard]] bool agrees(const store::ShardRecord& record, const PlannedShard& shard) const;
};

/// An expert's share in the matrix just read. @throws InputError where it was found for another
/// matrix
[[nodiscard]] sparse::Threshold threshold_of(const ModelBudget& budget,
                                             const PlannedTensor& planned,
                                             const class TensorReader& reader, std::size_t expert);

/// .koine/thresholds.json as text: its own SHA-256, then what it was found for and by, then the
/// budget. A run that goes on takes it from there instead of searching again.
[[nodiscard]] std::string budget_text(const ModelBudget& budget, const Identity& identity);

/// Which budgets hold: of a complete run and of this very search any, else k would no longer be
/// exact with those that machines of other kinds found.
enum class ByArithmetic : std::uint8_t { own, any };

/// Back from text. Nothing where it is damaged, belongs to another merge or does not hold.
[[nodiscard]] std::optional<ModelBudget> budget_from(const std::string& text, const Plan& plan,
                                                     const Identity& identity, ByArithmetic which);

/// Root only. @throws StorageError
void write_budget(const std::filesystem::path& run, const std::string& text);
/// The text, empty where there is none.
[[nodiscard]] std::string read_budget(const std::filesystem::path& run);

/// A complete run's report.json.  @throws VerifyError where it is not the manifest's
[[nodiscard]] Json report_of(const std::filesystem::path& run, const store::Manifest& manifest);
/// The budget that the run was merged with.
[[nodiscard]] ModelBudget budget_of_report(const Json& report, const Plan& plan);

}  // namespace koine::pipeline
