#include "pipeline/sweep_contents.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include "core/file.hpp"
#include "core/hash.hpp"
#include "core/json.hpp"
#include "core/pool.hpp"
#include "core/stop.hpp"
#include "core/thread_pool.hpp"
#include "pipeline/blocks.hpp"

namespace koine::pipeline {
namespace {

constexpr std::int64_t kLargest = std::int64_t{1} << 30;
constexpr std::size_t kDigits = 32;

/// Name, size, time and inode of a model's files.
std::string stat_text(const checkpoint::Checkpoint& header) {
  std::string text;
  for (const auto& file : header.files) {
    struct stat status {};
    if (::stat(file.path.c_str(), &status) != 0) return {};
    text += fmt::format("{} {} {}.{} {}\n", file.path, status.st_size, status.st_mtim.tv_sec,
                        status.st_mtim.tv_nsec, status.st_ino);
  }
  return text;
}

class Contents {
 public:
  Contents(const Inputs& inputs, int threads, comm::Communicator& processes)
      : inputs_(inputs),
        sources_(open_sources(inputs)),
        tensors_(inputs.base.tensors.size()),
        threads_(threads),
        processes_(processes) {}

  [[nodiscard]] std::size_t models() const { return sources_.size(); }
  [[nodiscard]] std::string stats_of(std::size_t model) const {
    return stat_text(model == 0 ? inputs_.base : inputs_.experts[model - 1].header);
  }

  /// The digits of these models, on the root. Collective.
  std::vector<std::string> read(const std::vector<std::size_t>& models) {
    const std::size_t count = models.size() * tensors_;
    const auto size = static_cast<std::size_t>(processes_.size());
    const auto rank = static_cast<std::size_t>(processes_.rank().value);
    const std::size_t mine = (count + size - 1 - rank) / size;
    std::vector<std::string> prints(mine);
    std::vector<Pool<std::byte>> buffers(static_cast<std::size_t>(threads_));
    parallel_for(static_cast<std::int64_t>(mine), threads_, [&](std::int64_t i, int thread) {
      const std::size_t at = static_cast<std::size_t>(i) * size + rank;
      prints[static_cast<std::size_t>(i)] =
          print_of(models[at / tensors_], at % tensors_, buffers[static_cast<std::size_t>(thread)]);
    });
    const auto texts = processes_.gather(Json(prints).dump());
    if (!processes_.is_root()) return {};
    std::vector<std::vector<std::string>> all;
    all.reserve(texts.size());
    for (const std::string& text : texts)
      all.push_back(Json::parse(text).get<std::vector<std::string>>());
    std::vector<std::string> digits;
    for (std::size_t m = 0; m < models.size(); ++m) {
      std::string whole;
      for (std::size_t at = m * tensors_; at < (m + 1) * tensors_; ++at)
        whole += all[at % size][at / size] + "\n";
      digits.push_back(sha256_of(whole).substr(0, kDigits));
    }
    return digits;
  }

 private:
  /// A tensor's name, type, shape and XXH3-128.
  std::string print_of(std::size_t model, std::size_t tensor, Pool<std::byte>& buffer) const {
    const checkpoint::TensorInfo& base = inputs_.base.tensors[tensor];
    const checkpoint::TensorInfo info = model == 0 ? base : inputs_.tensor_of(model - 1, tensor);
    Fingerprint hash;
    for_blocks(info.count(), [&](std::int64_t first, std::int64_t count) {
      throw_if_stopped();
      const auto bytes = buffer.take(count * size_of(info.dtype));
      sources_[model].read(info, first, count, bytes);
      hash.update(bytes);
    });
    return fmt::format("{} {} {} {}", base.canonical, recipe_name(info.dtype),
                       Json(base.shape).dump(), hash.hex());
  }

  const Inputs& inputs_;
  std::vector<checkpoint::Source> sources_;
  std::size_t tensors_;
  int threads_;
  comm::Communicator& processes_;
};

Json read_memory(const std::filesystem::path& memory) {
  std::error_code none;
  if (!std::filesystem::exists(memory, none)) return Json::object();
  Json known = Json::parse(read_text_file(memory, kLargest), nullptr, false);
  return known.is_object() ? known : Json::object();
}

}  // namespace

std::vector<std::string> contents_of(const Inputs& inputs, const std::filesystem::path& memory,
                                     int threads, comm::Communicator& processes) {
  Contents contents(inputs, threads, processes);
  Json known;
  std::vector<std::string> stats(contents.models());
  std::string unknown;
  if (processes.is_root()) {
    known = read_memory(memory);
    Json list = Json::array();
    for (std::size_t model = 0; model < stats.size(); ++model) {
      stats[model] = contents.stats_of(model);
      if (stats[model].empty() || !known.contains(stats[model])) list.push_back(model);
    }
    unknown = list.dump();
  }
  processes.broadcast(unknown);
  const auto models = Json::parse(unknown).get<std::vector<std::size_t>>();
  const auto digits = contents.read(models);
  std::string told;
  if (processes.is_root()) {
    std::vector<std::string> all(stats.size());
    for (std::size_t i = 0; i < models.size(); ++i) {
      all[models[i]] = digits[i];
      // A file that was touched meanwhile is read again next time.
      if (contents.stats_of(models[i]) == stats[models[i]]) known[stats[models[i]]] = digits[i];
    }
    for (std::size_t model = 0; model < stats.size(); ++model) {
      if (all[model].empty()) all[model] = known.at(stats[model]).get<std::string>();
    }
    if (!models.empty()) write_file_atomically(memory, to_text(known));
    told = Json(all).dump();
  }
  processes.broadcast(told);
  return Json::parse(told).get<std::vector<std::string>>();
}

}  // namespace koine::pipeline
