#include "pipeline/inputs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "checkpoint/names.hpp"
#include "core/error.hpp"
#include "core/json.hpp"

namespace koine::pipeline {
namespace {

using checkpoint::Checkpoint;
using checkpoint::TensorInfo;

constexpr std::size_t kMostProblems = 10;

/// Where `expert` does not fit `base`, one line each.
std::vector<std::string> misfits(const Checkpoint& base, const Checkpoint& expert) {
  std::vector<std::string> lines;
  for (const TensorInfo& wanted : base.tensors) {
    const TensorInfo* found = counterpart(expert, wanted);
    if (found == nullptr) {
      lines.push_back(fmt::format(
          "{}: tensor '{}' of the base is missing; merge experts that were trained from this base",
          expert.path, wanted.name));
    } else if (found->shape != wanted.shape) {
      lines.push_back(fmt::format(
          "{}: tensor '{}' is {}, expected {} as in the base; merge experts of one size",
          expert.path, found->name, to_string(found->shape), to_string(wanted.shape)));
    } else if (is_float(found->dtype) != is_float(wanted.dtype)) {
      lines.push_back(fmt::format("{}: tensor '{}' is {}, expected {} as in the base", expert.path,
                                  found->name, recipe_name(found->dtype),
                                  recipe_name(wanted.dtype)));
    }
  }
  for (const TensorInfo& tensor : expert.tensors) {
    if (base.find(tensor.canonical) != nullptr || tensor.canonical == checkpoint::kTiedOutput)
      continue;
    lines.push_back(fmt::format(
        "{}: tensor '{}' is not in the base; merge experts that were trained from this base",
        expert.path, tensor.name));
  }
  return lines;
}

void check_fit(const Inputs& inputs) {
  std::vector<std::string> lines;
  for (const Expert& expert : inputs.experts) {
    for (std::string& line : misfits(inputs.base, expert.header)) lines.push_back(std::move(line));
  }
  if (lines.empty()) return;
  const std::size_t count = lines.size();
  if (count > kMostProblems) {
    lines.resize(kMostProblems);
    lines.push_back(fmt::format("… and {} more of this kind", count - kMostProblems));
  }
  throw InputError(fmt::format("{}", fmt::join(lines, "\n")));
}

/// Models in the order of the sum, the base among them where the method counts it.
std::vector<recipe::ModelEntry> summed_models(const recipe::Recipe& recipe) {
  std::vector<recipe::ModelEntry> models = recipe.models;
  if (recipe.merge_method == "linear" && recipe.base_listed && recipe.base_as_model) {
    const std::size_t at = std::min(recipe.base_position, models.size());
    models.insert(models.begin() + static_cast<std::ptrdiff_t>(at), *recipe.base_as_model);
  }
  return models;
}

Inputs read_headers(const recipe::Recipe& recipe) {
  Inputs inputs;
  for (const recipe::ModelEntry& model : summed_models(recipe)) {
    inputs.experts.push_back({model, checkpoint::open(model.path)});
  }
  inputs.base = recipe.base ? checkpoint::open(recipe.base->path) : inputs.experts.at(0).header;
  inputs.base_written = recipe.base ? recipe.base->written : inputs.experts.at(0).entry.written;
  for (const std::string& note : inputs.base.notes) inputs.notes.push_back(note);
  for (const Expert& expert : inputs.experts) {
    for (const std::string& note : expert.header.notes) inputs.notes.push_back(note);
  }
  check_fit(inputs);
  return inputs;
}

std::string pack(const Inputs& inputs) {
  Json experts = Json::array();
  for (const Expert& expert : inputs.experts)
    experts.push_back(checkpoint::to_bytes(expert.header));
  return Json{
      {"base", checkpoint::to_bytes(inputs.base)}, {"experts", experts}, {"notes", inputs.notes}}
      .dump();
}

}  // namespace

std::vector<std::string> Inputs::expert_names() const {
  std::vector<std::string> names;
  for (const Expert& expert : experts) names.push_back(expert.entry.name);
  return names;
}

const TensorInfo* counterpart(const Checkpoint& expert, const TensorInfo& base_tensor) {
  const TensorInfo* found = expert.find(base_tensor.canonical);
  if (found != nullptr || base_tensor.canonical != checkpoint::kTiedOutput) return found;
  return expert.find(checkpoint::kTokenEmbedding);
}

Inputs open_inputs(const recipe::Recipe& recipe, comm::Communicator& processes) {
  Inputs inputs;
  std::string packed;
  if (processes.is_root()) {
    inputs = read_headers(recipe);
    if (processes.size() > 1) packed = pack(inputs);
  }
  if (processes.size() == 1) return inputs;
  processes.broadcast(packed);
  if (processes.is_root()) return inputs;
  const Json document = Json::parse(packed);
  const auto models = summed_models(recipe);
  inputs.base = checkpoint::from_bytes(document.at("base").get<std::string>());
  inputs.base_written = recipe.base ? recipe.base->written : models.at(0).written;
  for (std::size_t t = 0; t < models.size(); ++t) {
    inputs.experts.push_back(
        {models[t], checkpoint::from_bytes(document.at("experts").at(t).get<std::string>())});
  }
  return inputs;
}

std::vector<checkpoint::Source> open_sources(const Inputs& inputs) {
  std::vector<checkpoint::Source> sources;
  sources.emplace_back(inputs.base);
  for (const Expert& expert : inputs.experts) sources.emplace_back(expert.header);
  return sources;
}

}  // namespace koine::pipeline
