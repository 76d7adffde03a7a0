#pragma once

#include <string>
#include <utility>
#include <vector>

#include "checkpoint/checkpoint.hpp"
#include "core/dtype.hpp"
#include "pipeline/synth.hpp"

namespace koine::pipeline {

/// Name and content of the files beside a Hugging Face model of these dims: config.json,
/// generation_config.json, preprocessor_config.json.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> config_files(
    const checkpoint::ModelDims& dims, DType dtype);

/// The recipe that merges the experts.
[[nodiscard]] std::string synth_recipe(const SynthOptions& options);

/// JSON of what decides the bytes: the marker file of an output folder.
[[nodiscard]] std::string synth_settings(const SynthOptions& options);

}  // namespace koine::pipeline
