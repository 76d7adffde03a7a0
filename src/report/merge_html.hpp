#pragma once

#include <string>

#include "core/json.hpp"

namespace koine::report {

/// One self-contained page (no network, no script) of a report.json: what each expert brought,
/// layer by layer. Include in .cpp files only.
[[nodiscard]] std::string merge_html(const Json& report);

}  // namespace koine::report
