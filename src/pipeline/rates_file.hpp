#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pipeline/work.hpp"

namespace koine::pipeline {

/// What each worker of a machine does in a second while so many work there.
struct WorkerRates {
  int workers = 1;
  Rates rates;
};

/// What merges are predicted with: written by `koine bench --rates`, or by hand.
struct MachineRates {
  std::string machine;                         ///< for people: "AMD EPYC, 2 cores"
  std::string source;                          ///< how the figures came about
  bool has_gpus = false;                       ///< a worker is a process with a GPU; else a thread
  int most_workers = 1;                        ///< of one machine: cores or GPUs
  double storage_read = 0, storage_write = 0;  ///< bytes/s of the storage that all machines share;
                                               ///< 0: no limit is known
  std::vector<WorkerRates> rows;               ///< fewest workers first; at least one

  /// Of the row for so many workers, the next larger one where they were not measured, else the
  /// last. With more workers than the machine has, they take turns.
  [[nodiscard]] Rates of(int workers) const;
};

/// common_rates, for machines that were not measured.
[[nodiscard]] MachineRates common_machine();

[[nodiscard]] std::string rates_text(const MachineRates& machine);
/// @throws InputError: file, place, expected
[[nodiscard]] MachineRates read_rates(const std::filesystem::path& file);

}  // namespace koine::pipeline
