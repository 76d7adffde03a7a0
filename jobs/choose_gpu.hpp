#pragma once

#include <string>

#include "backend/gpu.hpp"
#include "comm/communicator.hpp"

namespace koine::jobs {

/// Where all processes work: each on a GPU, or all on the CPU.
/// @param wish "auto", "cpu" or "cuda"
/// Collective. @throws DeviceError where "cuda" is asked for and a process has none
[[nodiscard]] backend::Choice choose_together(const std::string& wish,
                                              comm::Communicator& processes);

}  // namespace koine::jobs
