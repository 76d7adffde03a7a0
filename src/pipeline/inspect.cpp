#include "pipeline/inspect.hpp"

#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "checkpoint/whisper.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "store/manifest.hpp"

namespace koine::pipeline {
namespace {

using checkpoint::Checkpoint;
using checkpoint::TensorInfo;

const char* word_of(checkpoint::Format format) {
  switch (format) {
    case checkpoint::Format::safetensors:
      return "safetensors";
    case checkpoint::Format::torch:
      return "torch archive";
    case checkpoint::Format::run_folder:
      return "Koine run folder";
  }
  return "";
}

const char* word_of(checkpoint::Naming naming) {
  switch (naming) {
    case checkpoint::Naming::openai:
      return "openai";
    case checkpoint::Naming::hf:
      return "hf";
    case checkpoint::Naming::unknown:
      return "unknown";
  }
  return "";
}

std::map<std::string, std::int64_t> dtypes_of(const Checkpoint& c) {
  std::map<std::string, std::int64_t> counts;
  for (const TensorInfo& tensor : c.tensors) ++counts[std::string(recipe_name(tensor.dtype))];
  return counts;
}

Json dims_json(const checkpoint::ModelDims& d) {
  return {{"n_mels", d.n_mels},
          {"n_vocab", d.n_vocab},
          {"n_audio_ctx", d.n_audio_ctx},
          {"n_audio_state", d.n_audio_state},
          {"n_audio_head", d.n_audio_head},
          {"n_audio_layer", d.n_audio_layer},
          {"n_text_ctx", d.n_text_ctx},
          {"n_text_state", d.n_text_state},
          {"n_text_head", d.n_text_head},
          {"n_text_layer", d.n_text_layer}};
}

/// The recipe of a run folder; null for anything else.
Json recipe_of(const Checkpoint& c) {
  if (c.format != checkpoint::Format::run_folder) return {};
  return parse_strict_json(store::read_manifest(c.path).recipe, c.path + ": recipe");
}

Json tensors_json(const Checkpoint& c) {
  Json list = Json::array();
  for (const TensorInfo& t : c.tensors) {
    list.push_back({{"name", t.name},
                    {"canonical", t.canonical},
                    {"dtype", recipe_name(t.dtype)},
                    {"shape", t.shape},
                    {"file", c.files[static_cast<std::size_t>(t.file)].path}});
  }
  return list;
}

std::string line(const char* label, const std::string& value) {
  return fmt::format("{:<12}{}\n", label, value);
}

std::string dtypes_text(const Checkpoint& c) {
  std::string text;
  for (const auto& [dtype, count] : dtypes_of(c))
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", dtype, count);
  return text;
}

std::string recipe_text(const Json& recipe) {
  const auto models = recipe.find("models");
  return line("merged by", recipe.value("merge_method", std::string("?"))) +
         line("experts", std::to_string(models != recipe.end() ? models->size() : 0));
}

}  // namespace

std::string size_text(const Checkpoint& c) {
  if (!c.dims) return {};
  if (const auto size = checkpoint::size_of_dims(*c.dims)) return *size;
  return fmt::format("width {}, {} + {} blocks, no published size", c.dims->n_audio_state,
                     c.dims->n_audio_layer, c.dims->n_text_layer);
}

std::string inspect_text(const Checkpoint& c, bool with_tensors) {
  const std::string size = size_text(c);
  std::int64_t on_disk = 0;
  for (const auto& file : c.files) on_disk += file.size;
  std::string text =
      line("path", c.path) + line("format", word_of(c.format)) + line("naming", word_of(c.naming)) +
      line("model", size.empty() ? "no Whisper" : "Whisper " + size) +
      line("tensors", human_count(static_cast<std::int64_t>(c.tensors.size()))) +
      line("dtypes", dtypes_text(c)) + line("parameters", human_count(c.parameters())) +
      line("bytes", fmt::format("{} ({})", human_count(c.bytes()), human_bytes(c.bytes()))) +
      line("files", fmt::format("{} ({} on disk)", c.files.size(), human_bytes(on_disk)));
  if (const Json recipe = recipe_of(c); recipe.is_object()) text += recipe_text(recipe);
  if (c.dims) {
    const Json document = dims_json(*c.dims);
    std::string dims;
    for (const auto& [key, value] : document.items())
      dims += fmt::format("{}{} {}", dims.empty() ? "" : ", ", key, value.dump());
    text += line("dims", dims);
  }
  for (const std::string& note : c.notes) text += line("note", note);
  if (!with_tensors) return text;
  for (const TensorInfo& t : c.tensors)
    text += fmt::format("{}  {}  {}\n", t.name, recipe_name(t.dtype), to_string(t.shape));
  return text;
}

std::string inspect_json(const Checkpoint& c, bool with_tensors) {
  Json files = Json::array();
  for (const auto& file : c.files) files.push_back({{"path", file.path}, {"size", file.size}});
  const auto size = c.dims ? checkpoint::size_of_dims(*c.dims) : std::nullopt;
  Json document{{"schema", "koine-inspect-1"},
                {"path", c.path},
                {"format", c.format == checkpoint::Format::torch        ? "torch"
                           : c.format == checkpoint::Format::run_folder ? "run"
                                                                        : "safetensors"},
                {"naming", word_of(c.naming)},
                {"size", size ? Json(*size) : Json()},
                {"tensors", c.tensors.size()},
                {"dtypes", dtypes_of(c)},
                {"parameters", c.parameters()},
                {"bytes", c.bytes()},
                {"files", files},
                {"dims", c.dims ? dims_json(*c.dims) : Json()},
                {"recipe", recipe_of(c)},
                {"notes", c.notes}};
  if (with_tensors) document["tensor_list"] = tensors_json(c);
  return to_text(document);
}

}  // namespace koine::pipeline
