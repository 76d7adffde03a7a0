#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "comm/communicator.hpp"
#include "pipeline/sweep.hpp"
#include "pipeline/sweep_folder.hpp"

namespace koine::pipeline {

struct KeepContext {
  const recipe::Sweep& sweep;
  const std::filesystem::path& path;
  const SweepFolder* folder = nullptr;       ///< root only
  const std::vector<std::int64_t>& numbers;  ///< root only: of the points
};

/// Merges what `keep` asks for into run folders of the sweep: `best` into best/, `all` into
/// points/NUMBER/merged, each distinct result once; what is there and intact stays. Collective.
void keep_checkpoints(const KeepContext& context, const SweepOptions& options,
                      comm::Communicator& processes, Progress& progress);

}  // namespace koine::pipeline
