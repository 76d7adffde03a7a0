#pragma once

#include <string>
#include <string_view>

#include "core/dtype.hpp"

namespace koine::pipeline {

/// First line of every koine_config.yml: how an earlier export is known again.
inline constexpr std::string_view kExportMark =
    "# The recipe of this merge, written by koine export; koine merge runs it again.\n";

/// The recipe (JSON text of a manifest) as YAML, behind kExportMark. @throws InputError that begins
/// with `where`
[[nodiscard]] std::string recipe_yaml(const std::string& recipe_json, const std::string& where);

/// README.md: the Hub's front matter (base_model, base_model_relation: merge, tags) and what was
/// merged how.
[[nodiscard]] std::string model_card(const std::string& recipe_json, DType dtype,
                                     const std::string& where);

/// config.json with its dtype field (torch_dtype or dtype, whichever it has) set; every other byte
/// as it was.
[[nodiscard]] std::string config_with_dtype(const std::string& config, DType dtype,
                                            const std::string& where);

}  // namespace koine::pipeline
