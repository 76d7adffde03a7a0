#include "pipeline/inputs.hpp"

#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "checkpoint/names.hpp"
#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/json.hpp"

namespace koine::pipeline {
namespace {

using checkpoint::Checkpoint;
using checkpoint::TensorInfo;

constexpr std::size_t kMostProblems = 10;

/// Null where there is none.
const TensorInfo* counterpart(const Checkpoint& expert, const TensorInfo& base_tensor) {
  const TensorInfo* found = expert.find(base_tensor.canonical);
  if (found != nullptr || base_tensor.canonical != checkpoint::kTiedOutput) return found;
  return expert.find(checkpoint::kTokenEmbedding);
}

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

/// @throws InputError with the first of them, if there are any
void require_none(std::vector<std::string> lines) {
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
  const auto models = summed_models(recipe);
  Inputs inputs;
  inputs.base = checkpoint::open(recipe.base ? recipe.base->path : models.at(0).path);
  inputs.base_written = recipe.base ? recipe.base->written : models.at(0).written;
  inputs.notes = inputs.base.notes;
  std::vector<std::string> problems;
  for (const recipe::ModelEntry& model : models) {
    Checkpoint header = checkpoint::open(model.path);
    inputs.notes.insert(inputs.notes.end(), header.notes.begin(), header.notes.end());
    for (std::string& line : misfits(inputs.base, header)) problems.push_back(std::move(line));
    if (problems.empty())
      inputs.experts.push_back(shortened(model, inputs.base, std::move(header)));
  }
  require_none(std::move(problems));
  return inputs;
}

std::string pack(const Expert& expert) {
  Json places = Json::array();
  for (const ExpertTensor& t : expert.tensors)
    places.push_back(Json::array({t.offset, t.file, static_cast<int>(t.dtype), t.strides}));
  return Json::array(
             {checkpoint::to_bytes(expert.header), expert.tensors_sha256, places, expert.own_names})
      .dump();
}

/// Without what only the root looks at: `tied`.
Expert unpack(const recipe::ModelEntry& entry, const std::string& packed) {
  const Json json = Json::parse(packed);
  Expert expert{entry, checkpoint::from_bytes(json.at(0).get<std::string>()), json.at(1), {}, {},
                {}};
  expert.tensors.reserve(json.at(2).size());
  for (const Json& t : json.at(2)) {
    expert.tensors.push_back({t.at(0), t.at(1), static_cast<DType>(t.at(2).get<int>()),
                              t.at(3).get<std::vector<std::int64_t>>()});
  }
  expert.own_names = json.at(3).get<std::map<std::size_t, std::string>>();
  return expert;
}

}  // namespace

std::vector<std::string> Inputs::expert_names() const {
  std::vector<std::string> names;
  names.reserve(experts.size());
  for (const Expert& expert : experts) names.push_back(expert.entry.name);
  return names;
}

Expert shortened(const recipe::ModelEntry& entry, const Checkpoint& base, Checkpoint header) {
  Expert expert{entry, {}, tensors_sha256(header), {}, {}, {}};
  expert.tensors.reserve(base.tensors.size());
  for (const TensorInfo& wanted : base.tensors) {
    const TensorInfo& found = *counterpart(header, wanted);
    if (found.name != wanted.name) expert.own_names[expert.tensors.size()] = found.name;
    expert.tensors.push_back({found.offset, found.file, found.dtype, found.strides});
  }
  const TensorInfo* output = header.find(checkpoint::kTiedOutput);
  const TensorInfo* embedding = header.find(checkpoint::kTokenEmbedding);
  if (base.find(checkpoint::kTiedOutput) == nullptr && output != nullptr && embedding != nullptr)
    expert.tied = {*output, *embedding};
  expert.header = std::move(header);
  expert.header.tensors = {};
  expert.header.notes = {};
  return expert;
}

TensorInfo Inputs::tensor_of(std::size_t expert, std::size_t base_tensor) const {
  TensorInfo tensor = base.tensors[base_tensor];
  const ExpertTensor& place = experts[expert].tensors[base_tensor];
  tensor.dtype = place.dtype;
  tensor.file = place.file;
  tensor.offset = place.offset;
  tensor.strides = place.strides;
  const auto own = experts[expert].own_names.find(base_tensor);
  if (own != experts[expert].own_names.end()) tensor.name = own->second;
  return tensor;
}

std::string tensors_sha256(const Checkpoint& header) {
  Json tensors = Json::array();
  for (const TensorInfo& t : header.tensors) {
    tensors.push_back(
        Json::array({t.name, recipe_name(t.dtype), t.shape, t.file, t.offset, t.strides}));
  }
  return sha256_of(tensors.dump());
}

Inputs open_inputs(const recipe::Recipe& recipe, comm::Communicator& processes) {
  if (processes.size() == 1) return read_headers(recipe);
  Inputs inputs;
  std::string packed;
  if (processes.is_root()) {
    inputs = read_headers(recipe);
    packed = checkpoint::to_bytes(inputs.base);
  }
  processes.broadcast(packed);
  const auto models = summed_models(recipe);
  if (!processes.is_root()) {
    inputs.base = checkpoint::from_bytes(packed);
    inputs.base_written = recipe.base ? recipe.base->written : models.at(0).written;
  }
  for (std::size_t t = 0; t < models.size(); ++t) {
    packed = processes.is_root() ? pack(inputs.experts[t]) : std::string();
    processes.broadcast(packed);
    if (!processes.is_root()) inputs.experts.push_back(unpack(models[t], packed));
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
