#pragma once

#include <string>

#include "comm/communicator.hpp"

namespace koine::comm {

/// What the first process that has a complaint says, to all: "rank 2: no GPU"; empty where none
/// has one. Collective.
[[nodiscard]] std::string first_complaint(Communicator& processes, const std::string& mine);

}  // namespace koine::comm
