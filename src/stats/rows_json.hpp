#pragma once

#include "core/json.hpp"
#include "stats/rows.hpp"

/// Rows as report.json and the journal hold them; doubles read back bit for bit. Include in .cpp
/// files only.
namespace koine::stats {

[[nodiscard]] Json to_json(const TensorRow& row);
[[nodiscard]] TensorRow tensor_row_from(
    const Json& json);  ///< @throws nlohmann::json::exception on another shape
[[nodiscard]] Json to_json(const Totals& totals, const std::vector<std::string>& expert_names);

}  // namespace koine::stats
