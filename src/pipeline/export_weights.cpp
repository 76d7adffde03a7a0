#include "pipeline/export_weights.hpp"

#include <algorithm>
#include <map>
#include <memory>

#include <fmt/format.h>

#include "backend/to_double.hpp"
#include "checkpoint/names.hpp"
#include "checkpoint/source.hpp"
#include "checkpoint/write_safetensors.hpp"
#include "checkpoint/write_torch.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/hash.hpp"
#include "core/json.hpp"
#include "core/stop.hpp"

namespace koine::pipeline {
namespace {

namespace fs = std::filesystem;
using checkpoint::ByteSource;
using checkpoint::OutTensor;
using checkpoint::TensorInfo;

/// A tensor of the run and what it becomes.
struct Item {
  const TensorInfo* stored = nullptr;
  const store::ManifestTensor* sealed = nullptr;
  OutTensor out;
};

DType exported_dtype(const ExportOptions& options, DType stored) {
  return options.dtype && is_float(stored) ? *options.dtype : stored;
}

std::string exported_name(const ExportSource& source, const TensorInfo& tensor) {
  if (source.options.format == checkpoint::Naming::openai) return tensor.canonical;
  const std::string name = checkpoint::hf_name(tensor.canonical);
  const bool is_known = name != tensor.canonical || tensor.canonical == checkpoint::kTiedOutput;
  return is_known ? name : tensor.name;
}

std::vector<Item> items_of(const ExportSource& source) {
  std::map<std::string_view, const store::ManifestTensor*> sealed;
  for (const auto& tensor : source.manifest.tensors) sealed.emplace(tensor.canonical, &tensor);
  std::vector<Item> items;
  for (const TensorInfo& tensor : source.run.tensors) {
    // OpenAI's models have no tensor of their own for the tied output.
    if (source.options.format == checkpoint::Naming::openai &&
        tensor.canonical == checkpoint::kTiedOutput)
      continue;
    const DType dtype = exported_dtype(source.options, tensor.dtype);
    items.push_back({&tensor,
                     sealed.at(tensor.canonical),
                     {exported_name(source, tensor), dtype, tensor.shape}});
  }
  std::sort(items.begin(), items.end(),
            [](const Item& a, const Item& b) { return a.out.name < b.out.name; });
  return items;
}

/// Streams stored tensors through hash and conversion, and keeps count.
class Stream {
 public:
  Stream(const ExportSource& source, std::int64_t total)
      : source_(source), reader_(source.run), total_(total) {}

  /// The bytes of `items` in the order asked for.
  [[nodiscard]] ByteSource over(const std::vector<Item>& items) {
    return [this, &items](std::size_t index, std::int64_t offset, std::span<std::byte> out) {
      throw_if_stopped();
      fill(items[index], offset, out);
      done_ += static_cast<std::int64_t>(out.size());
      if (source_.options.progress) source_.options.progress(done_, total_);
    };
  }

 private:
  void fill(const Item& item, std::int64_t offset, std::span<std::byte> out) {
    const std::int64_t size = size_of(item.out.dtype);
    const std::int64_t first = offset / size, count = static_cast<std::int64_t>(out.size()) / size;
    if (first == 0) hash_ = Sha256();
    const bool is_same = item.stored->dtype == item.out.dtype;
    bytes_.resize(is_same ? 0 : static_cast<std::size_t>(count * size_of(item.stored->dtype)));
    const std::span<std::byte> stored = is_same ? out : std::span<std::byte>(bytes_);
    reader_.read(*item.stored, first, count, stored);
    hash_.update(stored);
    if (first + count == item.stored->count()) check(item);
    if (is_same) return;
    values_.resize(static_cast<std::size_t>(count));
    backend::to_double({item.stored->dtype, stored}, values_);
    overflows_ = backend::round_to(item.out.dtype, values_, out);
    if (overflows_ > 0) {
      throw InputError(fmt::format(
          "{}: tensor '{}' has values beyond the range of {}; export with another --dtype",
          source_.options.run, item.stored->name, recipe_name(item.out.dtype)));
    }
  }

  void check(const Item& item) {
    if (hash_.hex() == item.sealed->sha256) return;
    throw VerifyError(fmt::format(
        "{}/{}: tensor '{}' is not what the manifest seals; koine verify {} lists the damage",
        source_.options.run, item.sealed->shard, item.stored->name, source_.options.run));
  }

  const ExportSource& source_;
  checkpoint::Source reader_;
  Sha256 hash_;
  std::vector<std::byte> bytes_;
  std::vector<double> values_;
  std::int64_t overflows_ = 0, done_ = 0, total_ = 0;
};

std::vector<OutTensor> outs_of(const std::vector<Item>& items) {
  std::vector<OutTensor> outs;
  outs.reserve(items.size());
  for (const Item& item : items) outs.push_back(item.out);
  return outs;
}

/// Greedy in order of names; a tensor larger than the limit has a file of its own.
std::vector<std::vector<Item>> split(const std::vector<Item>& items, std::int64_t limit) {
  std::vector<std::vector<Item>> shards(1);
  std::int64_t bytes = 0;
  for (const Item& item : items) {
    if (!shards.back().empty() && bytes + item.out.bytes() > limit) {
      shards.emplace_back();
      bytes = 0;
    }
    shards.back().push_back(item);
    bytes += item.out.bytes();
  }
  return shards;
}

void write_index(const fs::path& folder, const std::map<std::string, std::string>& weight_map,
                 std::int64_t total) {
  const Json document{{"metadata", {{"total_size", total}}}, {"weight_map", weight_map}};
  write_file_atomically(folder / "model.safetensors.index.json", to_text(document));
}

void export_hf(const ExportSource& source, const fs::path& folder, const std::vector<Item>& items,
               ExportResult& result) {
  const auto shards = split(items, source.options.shard_bytes);
  Stream stream(source, result.bytes);
  std::map<std::string, std::string> weight_map;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    const std::string name =
        shards.size() == 1 ? "model.safetensors"
                           : fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards.size());
    write_safetensors(folder / name, outs_of(shards[i]), {{"format", "pt"}},
                      stream.over(shards[i]));
    result.files.push_back(name);
    for (const Item& item : shards[i]) weight_map.emplace(item.out.name, name);
  }
  if (shards.size() == 1) return;
  write_index(folder, weight_map, result.bytes);
  result.files.emplace_back("model.safetensors.index.json");
}

}  // namespace

DType main_dtype(const ExportSource& source) {
  std::map<DType, std::int64_t> bytes;
  for (const TensorInfo& tensor : source.run.tensors) {
    if (is_float(tensor.dtype))
      bytes[exported_dtype(source.options, tensor.dtype)] += tensor.count();
  }
  const auto most = std::max_element(
      bytes.begin(), bytes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == bytes.end() ? DType::f32 : most->first;
}

void export_weights(const ExportSource& source, const fs::path& folder, ExportResult& result) {
  const std::vector<Item> items = items_of(source);
  result.tensors = static_cast<std::int64_t>(items.size());
  for (const Item& item : items) result.bytes += item.out.bytes();
  if (source.options.format == checkpoint::Naming::hf)
    return export_hf(source, folder, items, result);
  if (!source.run.dims) {
    throw InputError(fmt::format(
        "{}: is no Whisper (no dims can be told from its tensors), which --format openai needs",
        source.options.run));
  }
  Stream stream(source, result.bytes);
  write_openai_checkpoint(folder / "model.pt", *source.run.dims, outs_of(items),
                          stream.over(items));
  result.files.emplace_back("model.pt");
}

}  // namespace koine::pipeline
