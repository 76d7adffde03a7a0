#include "pipeline/finish.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <set>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "pipeline/run_records.hpp"
#include "pipeline/run_report.hpp"
#include "pipeline/seals.hpp"
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

store::ManifestFile describe(const fs::path& run, const std::string& path) {
  return {path, static_cast<std::int64_t>(fs::file_size(run / path)), store::hash_file(run / path)};
}

/// Once per expert: whose integers differ from the base's.
std::vector<std::string> notes_of(const OtherIntegers& all) {
  std::map<std::string, std::vector<std::string>> tensors;  // per expert
  for (const auto& [expert, tensor] : all) tensors[expert].push_back(tensor);
  std::vector<std::string> notes;
  notes.reserve(tensors.size());
  for (const auto& [expert, names] : tensors) {
    notes.push_back(fmt::format(
        "expert '{}' has other integers in tensor '{}'{}; the base's are kept", expert,
        names.front(), names.size() > 1 ? fmt::format(" and {} more", names.size() - 1) : ""));
  }
  return notes;
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
  OtherIntegers all;
  RunRecords records(run.folder.path, run.plan);
  for (std::size_t s = 0; s < run.plan.shards.size(); ++s)
    std::ranges::copy(records.shard(s).other_integers, std::back_inserter(all));
  return notes_of(all);
}

std::vector<std::string> finish_run(const FinishedRun& run) {
  const fs::path& folder = run.folder.path;
  RunRecords records(folder, run.plan);
  copy_companions(run);
  ReportWriter reports(run);
  Seals seals(run);
  for (std::size_t tensor = 0; tensor < run.plan.tensors.size(); ++tensor) {
    reports.add(tensor, records);
    seals.add(tensor, records);
  }
  reports.publish();
  store::Manifest manifest;
  manifest.recipe = run.identity.recipe;
  manifest.arithmetic = seals.arithmetic();
  manifest.dims = run.inputs.base.dims;
  manifest.naming = run.inputs.base.naming;
  manifest.tensors = seals.tensors();
  store::write_master(folder, manifest.tensors);
  manifest.files = manifest_files(run, seals.shards());
  store::write_manifest(folder, manifest, seals.models());
  return notes_of(seals.other_integers());
}

}  // namespace koine::pipeline
