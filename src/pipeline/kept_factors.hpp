#pragma once

#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "core/error.hpp"
#include "lowrank/truncated_svd.hpp"
#include "methods/method.hpp"
#include "pipeline/progress.hpp"
#include "pipeline/tensor_reader.hpp"
#include "store/factor_cache.hpp"

namespace koine::pipeline {

/// What a task vector was made from.
struct TaskVectorOrigin {
  std::string base_print, expert_print;  ///< fingerprints of the bytes
  DType base_dtype = DType::f32, expert_dtype = DType::f32;
  std::int64_t rows = 0, cols = 0;
};

/// Factorises, looking for rungs in the store and keeping them there.
using MakeFactors = std::function<lowrank::Factors(const lowrank::RungStore& store)>;

/// Factors that are kept on disk and used again: under .koine/factors of a run, between finding its
/// thresholds and merging, or in a cache that many runs share. They are found by what they were
/// made from and by alone.
class KeptFactors {
 public:
  enum class Trouble : std::uint8_t {
    ends,     ///< what cannot be written ends the run
    is_noted  ///< the run goes on without
  };

  /// @param arithmetic of Identity  @throws InputError, StorageError
  KeptFactors(const std::filesystem::path& folder, std::string arithmetic, Trouble trouble);

  /// Finds factors, or makes and keeps them. Thread-safe for different task vectors.
  /// @throws StorageError
  [[nodiscard]] lowrank::Factors find_or_make(const TaskVectorOrigin& origin,
                                              const lowrank::SvdOptions& svd,
                                              const MakeFactors& make, Progress& progress) const;

  /// Targets that later calls will ask for, so that one factorisation serves all of a rung.
  void expect(std::vector<lowrank::RankTarget> targets) { expected_ = std::move(targets); }

  /// Whether every process sees what the root writes there, and may write too. Collective; the same
  /// on every process.
  [[nodiscard]] bool is_common(comm::Communicator& processes) const;

  /// Root only, of a cache, when it has served: keeps it within its limit, and notes what could not
  /// be written.
  void settle(std::vector<std::string>& notes) const;

  /// A run's own place.
  [[nodiscard]] static std::filesystem::path folder_in(const std::filesystem::path& run);
  /// Root only, when nothing is left to merge.
  static void remove_from(const std::filesystem::path& run);

 private:
  [[nodiscard]] std::optional<lowrank::Rung> find(const std::string& key) const;
  void keep(const std::string& key, const lowrank::Rung& rung) const;
  void note(const Error& error) const;  ///< inside a handler: throws it on where trouble ends

  store::FactorCache cache_;
  std::string arithmetic_;
  Trouble on_trouble_;
  std::vector<lowrank::RankTarget> expected_;
  mutable std::mutex guard_;
  mutable std::string trouble_;
};

/// Opens a cache for all processes: the root makes its folder, the others find it; what cannot be
/// written is noted. Collective. @throws InputError where the folder holds something else;
/// StorageError
KeptFactors& open_cache(const std::filesystem::path& folder, const std::string& arithmetic,
                        std::optional<KeptFactors>& cache, comm::Communicator& processes);

/// Opens a run's own place, .koine/factors, for all processes; what a killed run was removing there
/// goes first, and what cannot be written ends the run. Collective. @throws StorageError
KeptFactors& open_own_factors(const std::filesystem::path& run, const std::string& arithmetic,
                              std::optional<KeptFactors>& own, comm::Communicator& processes);

/// The origin of an expert's task vector of a matrix.  @pre the expert's matrix has been read
[[nodiscard]] TaskVectorOrigin origin_of(const TensorReader& reader, std::size_t expert);

/// The parameters of one expert's part in a matrix, whose factors are kept where the context says
/// so. Keeps references; call it after the expert's matrix has been read.
[[nodiscard]] methods::PruneParameters prune_parameters(const PlannedTensor& planned,
                                                        std::size_t expert,
                                                        const MergeContext& context,
                                                        const TensorReader& reader);

}  // namespace koine::pipeline
