#include "core/json.hpp"
#include "lowrank/truncated_svd.hpp"
#include "pipeline/run_folder.hpp"

namespace koine::pipeline {
namespace {

/// Changes when the same inputs and recipe would give other bytes.
constexpr int kEngineVersion = 6;

std::string_view word(checkpoint::Naming naming) {
  return naming == checkpoint::Naming::hf       ? "hf"
         : naming == checkpoint::Naming::openai ? "openai"
                                                : "unknown";
}

Json describe(const checkpoint::Checkpoint& header, const std::string& tensors_sha256,
              const std::string& written, const std::string& name) {
  Json files = Json::array();
  for (const auto& file : header.files) {
    files.push_back(
        {{"name", std::filesystem::path(file.path).filename().string()}, {"size", file.size}});
  }
  return {{"name", name},
          {"path", written},
          {"naming", word(header.naming)},
          {"files", files},
          {"header_sha256", tensors_sha256}};
}

}  // namespace

Identity identity_of(const recipe::Recipe& recipe, const Inputs& inputs,
                     const DeviceArithmetic* device) {
  Json models = Json::array();
  models.push_back(describe(inputs.base, tensors_sha256(inputs.base), inputs.base_written, "base"));
  for (const Expert& expert : inputs.experts) {
    models.push_back(
        describe(expert.header, expert.tensors_sha256, expert.entry.written, expert.entry.name));
  }
  Json arithmetic{
      {"engine", kEngineVersion}, {"backend", "cpu"}, {"blas", lowrank::blas_description()}};
  if (device != nullptr) {
    arithmetic["backend"] = "cuda";
    arithmetic["device"] = device->device;
    arithmetic["libraries"] = device->libraries;
    arithmetic["batch"] = device->batch;
  }
  return {Json::parse(recipe::canonical_json(recipe)).dump(), models.dump(), arithmetic.dump()};
}

}  // namespace koine::pipeline
