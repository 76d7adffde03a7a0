#include "pipeline/synth.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>

#include <fmt/format.h>

#include "backend/elementwise.hpp"
#include "checkpoint/names.hpp"
#include "checkpoint/whisper.hpp"
#include "checkpoint/write_safetensors.hpp"
#include "checkpoint/write_torch.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "core/thread_pool.hpp"
#include "pipeline/synth_numbers.hpp"
#include "pipeline/synth_texts.hpp"

namespace koine::pipeline {
namespace {

namespace fs = std::filesystem;
using checkpoint::NamedShape;
using checkpoint::OutTensor;

constexpr const char* kMarker = ".koine-synth.json";
constexpr std::int64_t kChunk = 1 << 16;  // elements that one thread makes at a time

checkpoint::ModelDims dims_of(const SynthOptions& options) {
  auto dims = checkpoint::dims_of_size(options.model);
  if (!dims) {
    throw InputError(fmt::format("--model {}: no Whisper of that size{}; known: {}", options.model,
                                 did_you_mean(options.model, checkpoint::size_words()),
                                 fmt::join(checkpoint::size_words(), ", ")));
  }
  if (options.layers) dims->n_audio_layer = dims->n_text_layer = *options.layers;
  return *dims;
}

/// What one run shares between its models.
struct Work {
  const SynthOptions& options;
  checkpoint::ModelDims dims;
  std::vector<NamedShape> shapes;
  std::vector<OutTensor> tensors;
  std::int64_t bytes_each = 0;
  std::int64_t file_size = 0;  ///< of a weights file
  int threads_each = 1;
  std::atomic<std::int64_t> done{0};
  std::mutex speaking;

  explicit Work(const SynthOptions& o)
      : options(o), dims(dims_of(o)), shapes(checkpoint::whisper_tensors(dims)) {
    const bool is_hf = o.naming == checkpoint::Naming::hf;
    for (const NamedShape& s : shapes) {
      tensors.push_back({is_hf ? checkpoint::hf_name(s.canonical) : s.canonical, o.dtype, s.shape});
      bytes_each += tensors.back().bytes();
    }
  }

  void report(std::int64_t bytes) {
    const std::int64_t now = done += bytes;
    if (options.progress) options.progress(now, bytes_each * (options.experts + 1));
  }
  void say(const std::string& line) {
    const std::lock_guard lock(speaking);
    if (options.say) options.say(line);
  }
};

/// Bytes of a tensor's range, made on `threads` threads.
void fill_bytes(const SynthTensor& numbers, DType dtype, std::int64_t first,
                std::span<std::byte> out, int threads) {
  const std::int64_t size = size_of(dtype), count = static_cast<std::int64_t>(out.size()) / size;
  parallel_for((count + kChunk - 1) / kChunk, threads, [&](std::int64_t chunk, int) {
    const std::int64_t begin = chunk * kChunk, length = std::min(kChunk, count - begin);
    std::vector<float> values(static_cast<std::size_t>(length));
    numbers.fill(first + begin, values);
    const std::vector<double> wide(values.begin(), values.end());
    const auto place = out.subspan(static_cast<std::size_t>(begin * size),
                                   static_cast<std::size_t>(length * size));
    (void)backend::round_to(dtype, wide, place);
  });
}

checkpoint::ByteSource numbers_of(Work& work, std::uint64_t expert) {
  struct Current {
    std::size_t index = SIZE_MAX;
    std::unique_ptr<SynthTensor> numbers;
  };
  return [&work, expert, current = std::make_shared<Current>()](
             std::size_t index, std::int64_t offset, std::span<std::byte> out) {
    throw_if_stopped();
    const NamedShape& shape = work.shapes[index];
    if (current->index != index) {
      current->numbers =
          std::make_unique<SynthTensor>(work.options.seed, shape.canonical, shape.shape, expert);
      current->index = index;
    }
    const DType dtype = work.options.dtype;
    fill_bytes(*current->numbers, dtype, offset / size_of(dtype), out, work.threads_each);
    work.report(static_cast<std::int64_t>(out.size()));
  };
}

std::string label_of(std::int64_t number) {
  return number == 0 ? "base" : fmt::format("expert{}", number);
}

fs::path weights_of(const SynthOptions& options, std::int64_t number) {
  if (options.naming == checkpoint::Naming::openai)
    return options.output / (label_of(number) + ".pt");
  return options.output / label_of(number) / "model.safetensors";
}

const std::map<std::string, std::string> kMetadata{{"format", "pt"}};

/// Bytes of every model's weights file.
std::int64_t file_size_of(const Work& work) {
  return work.options.naming == checkpoint::Naming::openai
             ? checkpoint::openai_checkpoint_size(work.dims, work.tensors)
             : checkpoint::safetensors_size(work.tensors, kMetadata);
}

bool is_made(const Work& work, std::int64_t number) {
  std::error_code missing;
  const auto size = fs::file_size(weights_of(work.options, number), missing);
  return !missing && static_cast<std::int64_t>(size) == work.file_size;
}

void write_model(Work& work, std::int64_t number) {
  const SynthOptions& options = work.options;
  const fs::path weights = weights_of(options, number);
  if (is_made(work, number)) return work.report(work.bytes_each);
  const auto source = numbers_of(work, static_cast<std::uint64_t>(number));
  if (options.naming == checkpoint::Naming::openai) {
    write_openai_checkpoint(weights, work.dims, work.tensors, source);
  } else {
    make_folders(weights.parent_path());
    for (const auto& [leaf, text] : config_files(work.dims, options.dtype)) {
      write_file_atomically(weights.parent_path() / leaf, text);
    }
    write_safetensors(weights, work.tensors, kMetadata, source);
  }
  work.say(fmt::format("{}: {} tensors, {}", label_of(number), work.tensors.size(),
                       human_bytes(work.bytes_each)));
}

/// "experts 3, asked for 5"; for a marker of other settings.
std::string differences(const Json& there, const Json& wanted) {
  std::string text;
  for (const auto& [key, value] : wanted.items()) {
    const Json found = there.is_object() ? there.value(key, Json()) : Json();
    if (found != value)
      text += fmt::format("{}{} {}, asked for {}", text.empty() ? "" : "; ", key, found.dump(),
                          value.dump());
  }
  return text;
}

/// Makes the folder ours, or finds it ours. Returns whether the marker was there.
bool claim(const SynthOptions& options) {
  const fs::path marker = options.output / kMarker;
  const std::string settings = synth_settings(options);
  const std::string where = options.output.string();
  if (fs::exists(marker)) {
    const Json there = parse_strict_json(read_text_file(marker, 1 << 16), marker.string());
    const std::string other = differences(there, parse_strict_json(settings, "settings"));
    if (other.empty()) return true;
    throw InputError(fmt::format(
        "{}: holds synthetic models of other settings ({}); name another --output", where, other));
  }
  if (fs::exists(options.output) &&
      (!fs::is_directory(options.output) || !fs::is_empty(options.output))) {
    throw InputError(
        fmt::format("{}: exists and was not made by koine synth; name another --output", where));
  }
  make_folders(options.output);
  write_file_atomically(marker, settings);
  return false;
}

}  // namespace

SynthResult synth(const SynthOptions& options) {
  if (options.output.empty()) throw InputError("--output: is empty; name a folder to make");
  Work work(options);
  work.file_size = file_size_of(work);
  SynthResult result;
  const std::int64_t models = options.experts + 1;
  result.tensors = static_cast<std::int64_t>(work.tensors.size());
  result.bytes = work.bytes_each * models;
  result.recipe = options.output / "lors.yaml";
  result.was_complete = claim(options) && fs::exists(result.recipe);
  for (std::int64_t i = 0; i < models; ++i) result.was_complete &= is_made(work, i);
  if (result.was_complete) return result;
  const int at_once = static_cast<int>(std::min<std::int64_t>(options.threads, models));
  work.threads_each = std::max(1, options.threads / at_once);
  parallel_for(models, at_once, [&work](std::int64_t number, int) { write_model(work, number); });
  write_file_atomically(result.recipe, synth_recipe(options));
  return result;
}

}  // namespace koine::pipeline
