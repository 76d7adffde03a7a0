#pragma once

#include <string>

#include "core/json.hpp"

namespace koine::report {

/// report.html of a sweep: one self-contained page (no network), which answers in its first lines,
/// also without scripts; table and plots are drawn by the page itself from the data inside it.
/// `results`: the content of results.json, schema koine-sweep-1. Beside that, `output` (text, may
/// be absent) is the sweep's folder as the user wrote it, for the commands that the page shows;
/// where it is absent they hold inside that folder. Names, messages and recipes may be any text.
/// Same results, same bytes.   Local: no communication.
[[nodiscard]] std::string sweep_html(const Json& results);

}  // namespace koine::report
