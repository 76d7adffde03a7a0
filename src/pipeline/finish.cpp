#include "pipeline/finish.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "pipeline/run_records.hpp"
#include "pipeline/run_report.hpp"
#include "store/manifest.hpp"
#include "store/shard_writer.hpp"
#include "store/sums.hpp"

namespace koine::pipeline {
namespace {

namespace fs = std::filesystem;
constexpr std::int64_t kLargestCompanion = std::int64_t{1} << 30;

constexpr std::array<const char*, 14> kCompanions{"config.json",
                                                  "generation_config.json",
                                                  "preprocessor_config.json",
                                                  "processor_config.json",
                                                  "tokenizer.json",
                                                  "tokenizer_config.json",
                                                  "vocab.json",
                                                  "merges.txt",
                                                  "added_tokens.json",
                                                  "special_tokens_map.json",
                                                  "normalizer.json",
                                                  "chat_template.json",
                                                  "chat_template.jinja",
                                                  "LICENSE"};

void copy_companions(const FinishedRun& run) {
  std::set<std::string> wanted;
  for (const fs::path& source : companion_files(run.inputs.base)) {
    const std::string leaf = source.filename().string();
    wanted.insert(leaf);
    write_file_atomically(run.folder.path / "files" / leaf,
                          read_text_file(source, kLargestCompanion));
  }
  for (const auto& entry : fs::directory_iterator(run.folder.path / "files")) {
    if (!wanted.contains(entry.path().filename().string())) fs::remove_all(entry.path());
  }
}

/// What the manifest needs of the records: figures of shards and tensors, and the fingerprint of
/// every tensor of every model as it was read.
struct Seals {
  std::vector<store::ManifestTensor> tensors;
  std::vector<store::ManifestFile> shards;
  std::string prints;  ///< tensor by tensor, model by model, kPrint digits each
  std::string arithmetic;
};

constexpr std::size_t kPrint = 32;

void add_prints(const store::TensorRecord& record, std::size_t models, std::string& prints) {
  for (std::size_t model = 0; model < models; ++model) {
    const std::string& print = record.inputs.at(model);
    if (print.size() != kPrint) throw StorageError("the journal holds a fingerprint cut short");
    prints += print;
  }
}

/// The kinds of machine that computed the shards: one object, or a list of them after a resume
/// elsewhere.
void add_kind(const store::ShardRecord& record, Json& kinds) {
  Json kind = Json::parse(record.arithmetic);
  if (std::ranges::find(kinds, kind) == kinds.end()) kinds.push_back(std::move(kind));
}

Seals read_seals(const FinishedRun& run, RunRecords& records) {
  Seals seals;
  Json kinds = Json::array();
  for (std::size_t s = 0; s < run.plan.shards.size(); ++s) {
    const store::ShardRecord& record = records.shard(s);
    add_kind(record, kinds);
    seals.shards.push_back({record.file, record.size, record.sha256});
  }
  seals.arithmetic = (kinds.size() == 1 ? kinds[0] : Json{{"kinds", kinds}}).dump();
  const std::size_t models = run.inputs.experts.size() + 1;
  seals.prints.reserve(run.plan.tensors.size() * models * kPrint);
  for (std::size_t i = 0; i < run.plan.tensors.size(); ++i) {
    const store::TensorRecord& record = records.tensor(i);
    const PlannedTensor& planned = run.plan.tensors[i];
    const auto& base = run.inputs.base.tensors[planned.index];
    seals.tensors.push_back({base.name, base.canonical, records.shard_of(i).file, planned.out_dtype,
                             base.shape, record.seal.offset, record.seal.sha256});
    add_prints(record, models, seals.prints);
  }
  return seals;
}

/// Per model: what identity says of it, and its fingerprints.
store::ModelTexts model_texts(const FinishedRun& run, const Seals& seals) {
  const Json models = Json::parse(run.identity.inputs);
  return {models.size(), [&seals, models](std::size_t model) {
            Json tensors = Json::object();
            for (std::size_t i = 0; i < seals.tensors.size(); ++i) {
              tensors[seals.tensors[i].canonical] =
                  seals.prints.substr((i * models.size() + model) * kPrint, kPrint);
            }
            Json json = models[model];
            json["tensors"] = std::move(tensors);
            return json.dump();
          }};
}

store::ManifestFile describe(const fs::path& run, const std::string& path) {
  return {path, static_cast<std::int64_t>(fs::file_size(run / path)), store::hash_file(run / path)};
}

std::vector<store::ManifestFile> manifest_files(const FinishedRun& run,
                                                std::vector<store::ManifestFile> files) {
  for (const char* leaf : {"model.h5", "report.json", "report.html"})
    files.push_back(describe(run.folder.path, leaf));
  for (const auto& entry : fs::directory_iterator(run.folder.path / "files")) {
    files.push_back(describe(run.folder.path, "files/" + entry.path().filename().string()));
  }
  std::ranges::sort(files, {}, &store::ManifestFile::path);
  return files;
}

}  // namespace

std::vector<fs::path> companion_files(const checkpoint::Checkpoint& base) {
  std::vector<fs::path> found;
  fs::path folder = base.path;
  if (base.format == checkpoint::Format::run_folder) folder /= "files";
  if (!fs::is_directory(folder)) return found;
  for (const char* leaf : kCompanions) {
    if (fs::is_regular_file(folder / leaf)) found.push_back(folder / leaf);
  }
  return found;
}

bool is_finished(const FinishedRun& run) {
  const fs::path& folder = run.folder.path;
  try {
    const store::Manifest manifest = store::read_manifest(folder);
    std::map<std::string, std::string> expected;
    for (const auto& file : manifest.files) expected[file.path] = file.sha256;
    RunRecords records(folder, run.plan);
    for (std::size_t s = 0; s < run.plan.shards.size(); ++s) {
      const store::ShardRecord& record = records.shard(s);
      if (expected[record.file] != record.sha256) return false;
    }
    for (const auto& entry : fs::directory_iterator(folder / "files")) {
      if (!expected.contains("files/" + entry.path().filename().string())) return false;
    }
    const std::string sums = store::sums_text(manifest.files);
    return read_text_file(folder / "SHA256SUMS", static_cast<std::int64_t>(sums.size())) == sums &&
           std::ranges::all_of(manifest.files, [&](const store::ManifestFile& file) {
             return file.path.starts_with("shards/") ||
                    store::hash_file(folder / file.path) == file.sha256;
           });
  } catch (const Error&) {
    return false;
  }
}

std::vector<std::string> journal_notes(const FinishedRun& run) {
  std::map<std::string, std::vector<std::string>> tensors;  // per expert
  RunRecords records(run.folder.path, run.plan);
  for (std::size_t s = 0; s < run.plan.shards.size(); ++s) {
    for (const auto& [expert, tensor] : records.shard(s).other_integers)
      tensors[expert].push_back(tensor);
  }
  std::vector<std::string> notes;
  notes.reserve(tensors.size());
  for (const auto& [expert, names] : tensors) {
    notes.push_back(fmt::format(
        "expert '{}' has other integers in tensor '{}'{}; the base's are kept", expert,
        names.front(), names.size() > 1 ? fmt::format(" and {} more", names.size() - 1) : ""));
  }
  return notes;
}

void finish_run(const FinishedRun& run) {
  const fs::path& folder = run.folder.path;
  RunRecords records(folder, run.plan);
  copy_companions(run);
  write_reports(run, records);
  Seals seals = read_seals(run, records);
  store::Manifest manifest;
  manifest.recipe = run.identity.recipe;
  manifest.arithmetic = seals.arithmetic;
  manifest.dims = run.inputs.base.dims;
  manifest.naming = run.inputs.base.naming;
  store::write_master(folder, seals.tensors);
  manifest.files = manifest_files(run, std::move(seals.shards));
  manifest.tensors = seals.tensors;
  store::write_manifest(folder, manifest, model_texts(run, seals));
}

}  // namespace koine::pipeline
