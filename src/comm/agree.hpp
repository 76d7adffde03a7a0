#pragma once

#include <string>
#include <vector>

#include "comm/communicator.hpp"

namespace koine::comm {

/// What the first process that has a complaint says, to all: "rank 2: no GPU"; empty where none
/// has one. Collective.
[[nodiscard]] std::string first_complaint(Communicator& processes, const std::string& mine);

/// One text per process, in rank order, on every process. Collective.
[[nodiscard]] std::vector<std::string> gather_to_all(Communicator& processes,
                                                     const std::string& mine);

}  // namespace koine::comm
