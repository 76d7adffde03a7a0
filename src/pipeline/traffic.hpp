#pragma once

#include <cstdint>
#include <vector>

#include "pipeline/plan.hpp"

namespace koine::pipeline {

/// What a process of a merge reads and writes, in bytes: inputs, results (written, and read back
/// for their hash), and factors that processes find for each other.
struct Traffic {
  std::int64_t shards = 0, read = 0, written = 0;
  std::int64_t read_back = 0;  ///< of `read`: results, which the page cache still has
};

[[nodiscard]] std::vector<Traffic> traffic_of(const Plan& plan);  ///< by process

}  // namespace koine::pipeline
