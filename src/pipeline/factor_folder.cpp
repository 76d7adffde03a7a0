#include "pipeline/factor_folder.hpp"

#include <fmt/format.h>

#include "core/file.hpp"
#include "store/factor_file.hpp"

namespace koine::pipeline {
namespace {

std::filesystem::path folder_of(const std::filesystem::path& run) {
  return run / ".koine" / "factors";
}

}  // namespace

FactorFolder::FactorFolder(const std::filesystem::path& run, std::string arithmetic)
    : folder_(folder_of(run)), arithmetic_(std::move(arithmetic)) {
  make_folders(folder_);
}

lowrank::Factors FactorFolder::find_or_make(const FactorPlace& place, MatrixView tau,
                                            const methods::PruneParameters& parameters,
                                            lowrank::Workspace& workspace,
                                            Progress& progress) const {
  const std::string key =
      fmt::format("{} {} rank {} energy {} svd {} {} {}", place.base_print, place.expert_print,
                  parameters.rank.number.kept, parameters.rank.energy,
                  static_cast<int>(parameters.svd.mode), parameters.svd.tolerance, arithmetic_);
  const auto path = folder_ / fmt::format("{:05}.{:03}", place.tensor, place.expert);
  auto found = store::read_factors(path, key);
  if (found && found->rows == tau.rows && found->cols == tau.cols) return std::move(*found);
  lowrank::Factors made = lowrank::truncated_svd(tau, parameters.rank, parameters.svd, workspace);
  store::write_factors(path, key, made);
  if (made.method.starts_with("host:")) ++progress.matrices;
  return made;
}

void FactorFolder::remove(const std::filesystem::path& run) {
  std::error_code none;
  std::filesystem::remove_all(folder_of(run), none);
}

methods::PruneParameters prune_parameters(const PlannedTensor& planned, std::size_t expert,
                                          const MergeContext& context, const TensorReader& reader) {
  methods::PruneParameters parameters = planned.parts[expert].prune;
  if (context.factors == nullptr) return parameters;
  parameters.factorise = [&, expert](MatrixView tau, lowrank::Workspace& workspace) {
    const FactorPlace place{planned.index, expert, reader.fingerprint(0),
                            reader.fingerprint(expert + 1)};
    return context.factors->find_or_make(place, tau, planned.parts[expert].prune, workspace,
                                         context.progress);
  };
  return parameters;
}

}  // namespace koine::pipeline
