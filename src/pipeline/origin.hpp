#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "pipeline/merge.hpp"

namespace koine::pipeline {

void write_origin(const std::filesystem::path& run, const Origin& origin);
/// Nothing where .koine was cleaned away or damaged.
[[nodiscard]] std::optional<Origin> read_origin(const std::filesystem::path& run);
/// The command that goes on with, or repairs, this run: "koine merge lors.yaml --output runs/five".
[[nodiscard]] std::string merge_command(const std::filesystem::path& run);

}  // namespace koine::pipeline
