#include "checkpoint/checkpoint.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "checkpoint/names.hpp"
#include "core/error.hpp"
#include "core/json.hpp"

namespace koine::checkpoint {
namespace {

std::int64_t extent(const Checkpoint& checkpoint, std::string_view canonical, std::size_t axis) {
  const TensorInfo* tensor = checkpoint.find(canonical);
  return tensor != nullptr && axis < tensor->shape.size() ? tensor->shape[axis] : 0;
}

std::int64_t blocks(const Checkpoint& checkpoint, bool is_encoder) {
  std::int64_t count = 0;
  for (const TensorInfo& tensor : checkpoint.tensors) {
    const Block block = block_of(tensor.canonical);
    if (block.is_block && block.is_encoder == is_encoder) count = std::max(count, block.index + 1);
  }
  return count;
}

Json to_json(const ModelDims& d) {
  return Json::array({d.n_mels, d.n_vocab, d.n_audio_ctx, d.n_audio_state, d.n_audio_head,
                      d.n_audio_layer, d.n_text_ctx, d.n_text_state, d.n_text_head,
                      d.n_text_layer});
}

ModelDims dims_from_json(const Json& j) {
  return {j.at(0), j.at(1), j.at(2), j.at(3), j.at(4), j.at(5), j.at(6), j.at(7), j.at(8), j.at(9)};
}

}  // namespace

const TensorInfo* Checkpoint::find(std::string_view canonical) const noexcept {
  const auto at = std::lower_bound(
      tensors.begin(), tensors.end(), canonical,
      [](const TensorInfo& t, std::string_view name) { return t.canonical < name; });
  return at != tensors.end() && at->canonical == canonical ? &*at : nullptr;
}

std::int64_t Checkpoint::bytes() const noexcept {
  return std::transform_reduce(tensors.begin(), tensors.end(), std::int64_t{0}, std::plus<>(),
                               [](const TensorInfo& t) { return t.bytes(); });
}

std::int64_t Checkpoint::parameters() const noexcept {
  return std::transform_reduce(tensors.begin(), tensors.end(), std::int64_t{0}, std::plus<>(),
                               [](const TensorInfo& t) { return t.count(); });
}

void finish_header(Checkpoint& checkpoint) {
  auto& tensors = checkpoint.tensors;
  for (TensorInfo& tensor : tensors) {
    tensor.canonical = canonical_name(tensor.name);
    const Naming naming = naming_of(tensor.name);
    if (checkpoint.naming == Naming::unknown) checkpoint.naming = naming;
    if (naming != Naming::unknown && naming != checkpoint.naming) {
      throw InputError(
          fmt::format("{}: tensor '{}' mixes OpenAI and Hugging Face names in one checkpoint",
                      checkpoint.path, tensor.name));
    }
  }
  std::sort(tensors.begin(), tensors.end(),
            [](const TensorInfo& a, const TensorInfo& b) { return a.canonical < b.canonical; });
  const auto twice = std::adjacent_find(
      tensors.begin(), tensors.end(),
      [](const TensorInfo& a, const TensorInfo& b) { return a.canonical == b.canonical; });
  if (twice != tensors.end()) {
    throw InputError(fmt::format("{}: tensors '{}' and '{}' are both '{}'", checkpoint.path,
                                 twice->name, (twice + 1)->name, twice->canonical));
  }
  if (!checkpoint.dims) checkpoint.dims = derive_dims(checkpoint);
}

std::optional<ModelDims> derive_dims(const Checkpoint& checkpoint) {
  ModelDims d;
  d.n_mels = extent(checkpoint, "encoder.conv1.weight", 1);
  d.n_audio_ctx = extent(checkpoint, "encoder.positional_embedding", 0);
  d.n_audio_state = extent(checkpoint, "encoder.conv1.weight", 0);
  d.n_audio_layer = blocks(checkpoint, true);
  d.n_vocab = extent(checkpoint, kTokenEmbedding, 0);
  d.n_text_ctx = extent(checkpoint, "decoder.positional_embedding", 0);
  d.n_text_state = extent(checkpoint, kTokenEmbedding, 1);
  d.n_text_layer = blocks(checkpoint, false);
  if (d.n_audio_state == 0 || d.n_text_state == 0 || d.n_vocab == 0 || d.n_audio_ctx == 0)
    return std::nullopt;
  d.n_audio_head = std::max<std::int64_t>(1, d.n_audio_state / 64);
  d.n_text_head = std::max<std::int64_t>(1, d.n_text_state / 64);
  return d;
}

std::string to_bytes(const Checkpoint& checkpoint) {
  Json files = Json::array(), tensors = Json::array();
  for (const SourceFile& file : checkpoint.files)
    files.push_back(Json::array({file.path, file.size}));
  for (const TensorInfo& t : checkpoint.tensors) {
    tensors.push_back(Json::array(
        {t.name, t.canonical, static_cast<int>(t.dtype), t.shape, t.file, t.offset, t.strides}));
  }
  const Json document{{"path", checkpoint.path},
                      {"format", static_cast<int>(checkpoint.format)},
                      {"naming", static_cast<int>(checkpoint.naming)},
                      {"files", files},
                      {"tensors", tensors},
                      {"dims", checkpoint.dims ? to_json(*checkpoint.dims) : Json()},
                      {"notes", checkpoint.notes}};
  return document.dump();
}

Checkpoint from_bytes(std::string_view bytes) {
  const Json document = Json::parse(bytes);
  Checkpoint checkpoint;
  checkpoint.path = document.at("path");
  checkpoint.format = static_cast<Format>(document.at("format").get<int>());
  checkpoint.naming = static_cast<Naming>(document.at("naming").get<int>());
  checkpoint.notes = document.at("notes").get<std::vector<std::string>>();
  if (!document.at("dims").is_null()) checkpoint.dims = dims_from_json(document.at("dims"));
  for (const Json& file : document.at("files"))
    checkpoint.files.push_back({file.at(0), file.at(1)});
  for (const Json& t : document.at("tensors")) {
    checkpoint.tensors.push_back({t.at(0), t.at(1), static_cast<DType>(t.at(2).get<int>()),
                                  t.at(3).get<Shape>(), t.at(4), t.at(5),
                                  t.at(6).get<std::vector<std::int64_t>>()});
  }
  return checkpoint;
}

}  // namespace koine::checkpoint
