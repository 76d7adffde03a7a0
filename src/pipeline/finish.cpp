#include "pipeline/finish.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "pipeline/run_report.hpp"
#include "store/journal.hpp"
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

std::vector<store::ShardRecord> read_records(const FinishedRun& run) {
  std::vector<store::ShardRecord> records;
  for (const PlannedShard& shard : run.plan.shards) {
    auto record = store::read_record(run.folder.path, shard.name);
    if (!record)
      throw StorageError(
          fmt::format("{}: the journal of shard {} cannot be read; run the same command again",
                      run.folder.path.string(), shard.name));
    records.push_back(std::move(*record));
  }
  return records;
}

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

std::vector<store::ManifestTensor> manifest_tensors(
    const FinishedRun& run, const std::vector<store::ShardRecord>& records) {
  std::vector<store::ManifestTensor> tensors(run.plan.tensors.size());
  for (std::size_t s = 0; s < records.size(); ++s) {
    const PlannedShard& shard = run.plan.shards[s];
    for (std::size_t i = 0; i < shard.tensors.size(); ++i) {
      const PlannedTensor& planned = run.plan.tensors[shard.tensors[i]];
      const auto& base = run.inputs.base.tensors[planned.index];
      const auto& seal = records[s].tensors[i].seal;
      tensors[shard.tensors[i]] = {base.name,  base.canonical, shard.file, planned.out_dtype,
                                   base.shape, seal.offset,    seal.sha256};
    }
  }
  return tensors;
}

/// Per model: what identity says of it, and the fingerprint of every tensor as it was read.
std::string manifest_inputs(const FinishedRun& run,
                            const std::vector<store::ShardRecord>& records) {
  Json models = Json::parse(run.identity.inputs);
  std::vector<std::vector<std::string>> prints(run.plan.tensors.size());
  for (std::size_t s = 0; s < records.size(); ++s) {
    for (std::size_t i = 0; i < records[s].tensors.size(); ++i)
      prints[run.plan.shards[s].tensors[i]] = records[s].tensors[i].inputs;
  }
  for (std::size_t model = 0; model < models.size(); ++model) {
    Json tensors = Json::object();
    for (std::size_t i = 0; i < prints.size(); ++i) {
      tensors[run.inputs.base.tensors[run.plan.tensors[i].index].canonical] = prints[i].at(model);
    }
    models[model]["tensors"] = tensors;
  }
  return models.dump();
}

/// The kinds of machine that computed the shards: one object, or a list of them after a resume
/// elsewhere.
std::string manifest_arithmetic(const std::vector<store::ShardRecord>& records) {
  Json kinds = Json::array();
  for (const auto& record : records) {
    const Json kind = Json::parse(record.arithmetic);
    if (std::ranges::find(kinds, kind) == kinds.end()) kinds.push_back(kind);
  }
  return (kinds.size() == 1 ? kinds[0] : Json{{"kinds", kinds}}).dump();
}

store::ManifestFile describe(const fs::path& run, const std::string& path) {
  return {path, static_cast<std::int64_t>(fs::file_size(run / path)), store::hash_file(run / path)};
}

std::vector<store::ManifestFile> manifest_files(const FinishedRun& run,
                                                const std::vector<store::ShardRecord>& records) {
  std::vector<store::ManifestFile> files;
  for (const auto& record : records) files.push_back({record.file, record.size, record.sha256});
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
    const auto records = read_records(run);
    for (const auto& record : records) {
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
  for (const auto& record : read_records(run)) {
    for (const auto& [expert, tensor] : record.other_integers) tensors[expert].push_back(tensor);
  }
  std::vector<std::string> notes;
  for (const auto& [expert, names] : tensors) {
    notes.push_back(fmt::format(
        "expert '{}' has other integers in tensor '{}'{}; the base's are kept", expert,
        names.front(), names.size() > 1 ? fmt::format(" and {} more", names.size() - 1) : ""));
  }
  return notes;
}

void finish_run(const FinishedRun& run) {
  const fs::path& folder = run.folder.path;
  const auto records = read_records(run);
  copy_companions(run);
  store::Manifest manifest;
  manifest.recipe = run.identity.recipe;
  manifest.inputs = manifest_inputs(run, records);
  manifest.arithmetic = manifest_arithmetic(records);
  manifest.dims = run.inputs.base.dims;
  manifest.naming = run.inputs.base.naming;
  manifest.tensors = manifest_tensors(run, records);
  store::write_master(folder, manifest.tensors);
  write_reports(run, records);
  manifest.files = manifest_files(run, records);
  store::write_manifest(folder, manifest);
}

}  // namespace koine::pipeline
