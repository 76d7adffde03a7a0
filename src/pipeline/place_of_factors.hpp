#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "pipeline/kept_factors.hpp"
#include "pipeline/plan.hpp"
#include "pipeline/run_folder.hpp"

namespace koine::pipeline {

/// Where a merge's factors are kept, if they are: in a cache, or beside the run for as long as it
/// needs them. Where processes find factors for each other, a cache serves only if all of them see
/// and may change it and compute alike; else they meet in the run's folder.
class PlaceOfFactors {
 public:
  struct Wish {
    const std::filesystem::path& cache;  ///< empty: none was named
    const Identity& own;                 ///< of this process
    const Identity& common;              ///< of all
  };
  /// Collective. @throws InputError where the cache's folder holds something else; StorageError
  PlaceOfFactors(const Wish& wish, const Plan& plan, comm::Communicator& processes);

  /// What will lie beside the result until the run is complete.
  [[nodiscard]] std::int64_t bytes_beside_run() const noexcept { return cache_ ? 0 : bytes_; }

  /// Null where nothing is kept. Collective. @throws StorageError
  const KeptFactors* open(const RunFolder& run, comm::Communicator& processes);

  /// Root only, when the run is complete.
  void settle(const RunFolder& run, std::vector<std::string>& notes) const;

 private:
  std::optional<KeptFactors> cache_, own_;
  std::int64_t bytes_ = 0;
  bool is_needed_ = false;
  std::string common_, passed_over_;
};

/// `own`, whose arithmetic is that of all processes: where they differ a JSON object with each's,
/// in rank order. The same on every process. Collective.
[[nodiscard]] Identity identity_of_all(const Identity& own, comm::Communicator& processes);

}  // namespace koine::pipeline
