#pragma once

#include <string>

namespace koine {

/// This machine's name by itself; "unknown" where it has none.
[[nodiscard]] std::string host_name();

}  // namespace koine
