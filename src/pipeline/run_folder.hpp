#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "pipeline/inputs.hpp"
#include "pipeline/plan.hpp"
#include "pipeline/run_lock.hpp"

namespace koine::pipeline {

/// What a merge is: two runs with equal identities make equal bytes.
struct Identity {
  std::string recipe;  ///< canonical JSON
  std::string
      inputs;  ///< JSON: per model path as written, naming, files with sizes, hash of its header
  std::string arithmetic;  ///< JSON: engine, backend, BLAS, instruction set; of this process, or
                           ///< of all (identity_of_all). May change between start and resume.
};
/// Identity::arithmetic of a run that another machine will begin: not known yet.
inline constexpr const char* kArithmeticOfLater = "null";

/// What a GPU adds to the arithmetic.
struct DeviceArithmetic {
  std::string device, libraries;  ///< "NVIDIA H100 80GB HBM3"; "CUDA 13.0, cuBLAS 13.1.0, …"
  int batch = 0;                  ///< task vectors worked on at once
};
/// @param device null: all arithmetic on the CPU
[[nodiscard]] Identity identity_of(const recipe::Recipe& recipe, const Inputs& inputs,
                                   const DeviceArithmetic* device = nullptr);

/// A run that --fresh makes grows in TARGET.koine-fresh.
inline constexpr const char* kFreshSuffix = ".koine-fresh";

enum class RunState : std::uint8_t { fresh, resumed, complete };

/// The folder a merge works in, opened by the root and known to all.
struct RunFolder {
  std::filesystem::path
      path;  ///< where shards are written: `target`, or a sibling that takes its place at the end
  std::filesystem::path target;  ///< what the user asked for
  RunState state = RunState::fresh;
  bool trusts_inputs = false;  ///< complete, and no input file has changed its size or time since
  std::string input_stats;     ///< root only: of all inputs before the first read
  std::vector<std::string> notes;
};

struct OpenRunOptions {
  std::filesystem::path target;
  bool start_over = false;  ///< --fresh
  std::int64_t bytes_out = 0;
  std::int64_t bytes_factors = 0;  ///< beside the result until the run is complete
};

/// Opens or makes the run folder: refuses (InputError) folders that hold something else, another
/// recipe or other inputs (saying what differs), and a folder that another process works in; cleans
/// temporary files of a dead run; checks that the disk has room (StorageError). Collective; the
/// lock lives on the root.
[[nodiscard]] RunFolder open_run_folder(const OpenRunOptions& options, const Identity& identity,
                                        const Inputs& inputs, comm::Communicator& processes,
                                        RunLock& lock);

/// What open_run_folder would find, without writing anything. Local. @throws as open_run_folder
[[nodiscard]] RunFolder foresee_run_folder(const OpenRunOptions& options, const Identity& identity);

/// Root only: notes sizes and times of the inputs, and moves a fresh run into the place of the old
/// one.
void settle_run_folder(const RunFolder& run, const Inputs& inputs);

}  // namespace koine::pipeline
