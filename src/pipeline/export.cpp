#include "pipeline/export.hpp"

#include <algorithm>
#include <regex>
#include <set>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/hash.hpp"
#include "pipeline/export_texts.hpp"
#include "pipeline/export_weights.hpp"
#include "store/manifest.hpp"

namespace koine::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kCopied = "files/";
constexpr const char* kRecipeFile = "koine_config.yml";
constexpr std::int64_t kLargestFile = std::int64_t{1} << 30;  // of a config or tokenizer file

store::Manifest manifest_of(const ExportOptions& options) {
  const fs::path run = options.run;
  if (!fs::exists(run) && options.run.find('#') != std::string::npos) {
    throw InputError(fmt::format(
        "{}: points of sweeps are not exported by this version; name a run folder", options.run));
  }
  if (!fs::is_directory(run)) throw InputError(fmt::format("{}: is no run folder", options.run));
  if (!store::has_manifest(run)) {
    const bool is_run = fs::exists(run / "shards") || fs::exists(run / ".koine");
    throw InputError(
        is_run
            ? fmt::format(
                  "{}: this run is not complete; run the same koine merge again, then export",
                  options.run)
            : fmt::format("{}: is no run folder of koine merge (no manifest.json)", options.run));
  }
  return store::read_manifest(run);
}

/// Whether an export of this run may have written the file.
bool is_ours(const std::string& name, const store::Manifest& manifest) {
  static const std::set<std::string> kNames{"README.md", kRecipeFile, "model.pt",
                                            "model.safetensors.index.json"};
  static const std::regex kWeights(R"(model(-\d{5,}-of-\d{5,})?\.safetensors)");
  const auto is_copy = [&name](const store::ManifestFile& file) {
    return file.path == std::string(kCopied) + name;
  };
  return kNames.contains(name) || std::regex_match(name, kWeights) ||
         std::any_of(manifest.files.begin(), manifest.files.end(), is_copy);
}

/// Files below OUTPUT that are not ours to replace: all, unless it holds an earlier export.
std::vector<std::string> strangers(const fs::path& output, const store::Manifest& manifest) {
  std::vector<std::string> names;
  const fs::path recipe = output / kRecipeFile;
  const bool is_export =
      fs::is_regular_file(recipe) && read_text_file(recipe, kLargestFile).starts_with(kExportMark);
  for (const auto& entry : fs::recursive_directory_iterator(output)) {
    if (is_export && entry.is_directory() && !entry.is_symlink()) continue;
    const std::string name = entry.path().lexically_relative(output).string();
    if (!is_export || entry.is_symlink() || !is_ours(name, manifest)) names.push_back(name);
  }
  return names;
}

bool is_within(const fs::path& inner, const fs::path& outer) {
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

/// OUTPUT without links and dots, so that a link to a folder stays and its folder is replaced.
fs::path place_of(const fs::path& output) {
  if (output.empty()) throw InputError("--output: is empty; name a folder to make");
  fs::path place = fs::weakly_canonical(
      fs::absolute(output.has_filename() ? output : output.parent_path()).lexically_normal());
  if (place.has_relative_path()) return place;
  throw InputError(fmt::format("--output {}: is the root; name a folder to make", output.string()));
}

/// The run stays as its manifest seals it, and an export is replaced as a whole.
void check_apart(const fs::path& output, const fs::path& run) {
  std::string fault;
  if (output == run)
    fault = "is the run itself";
  else if (is_within(output, run))
    fault = fmt::format("lies inside the run {}", run.string());
  else if (is_within(run, output))
    fault = fmt::format("holds the run {}", run.string());
  if (fault.empty()) return;
  throw InputError(fmt::format("{}: {}; name another --output", output.string(), fault));
}

void check_output(const fs::path& output, const store::Manifest& manifest) {
  if (fs::is_symlink(output))
    throw InputError(
        fmt::format("{}: is a link to nothing; name another --output, or make the "
                    "folder that it names",
                    output.string()));
  if (!fs::exists(output)) return;
  if (!fs::is_directory(output))
    throw InputError(fmt::format("{}: is a file; name a folder to make", output.string()));
  const auto names = strangers(output, manifest);
  if (names.empty()) return;
  throw InputError(fmt::format(
      "{}: holds other files ({}{}); name another --output, or empty it first", output.string(),
      names.front(), names.size() > 1 ? fmt::format(" and {} more", names.size() - 1) : ""));
}

/// A file of the run, as the manifest seals it.
std::string sealed_text(const fs::path& run, const store::ManifestFile& file) {
  std::string text = read_text_file(run / file.path, kLargestFile);
  if (sha256_of(text) == file.sha256) return text;
  throw VerifyError(
      fmt::format("{}: is not what the manifest seals; koine verify {} lists the damage",
                  (run / file.path).string(), run.string()));
}

/// Files that an export writes itself.
bool is_own(const std::string& name) {
  return name == "README.md" || name == kRecipeFile || name.starts_with("model.safetensors") ||
         name.ends_with(".safetensors");
}

void copy_files(const ExportSource& source, const fs::path& folder, ExportResult& result) {
  const fs::path run = source.options.run;
  for (const store::ManifestFile& file : source.manifest.files) {
    if (!file.path.starts_with(kCopied)) continue;
    const std::string name = file.path.substr(kCopied.size());
    if (is_own(name)) continue;
    std::string text = sealed_text(run, file);
    if (name == "config.json")
      text = config_with_dtype(text, main_dtype(source), (run / file.path).string());
    make_folders((folder / name).parent_path());
    write_file_atomically(folder / name, text);
    result.files.push_back(name);
  }
}

void warn_of_missing(const ExportSource& source, ExportResult& result) {
  const auto has = [&result](const char* name) {
    return std::find(result.files.begin(), result.files.end(), name) != result.files.end();
  };
  if (!has("config.json")) {
    result.warnings.push_back(
        fmt::format("{}: the base had no config files, so weights alone are exported; transformers "
                    "will miss config.json, "
                    "generation_config.json, preprocessor_config.json, tokenizer.json, "
                    "tokenizer_config.json, vocab.json and "
                    "merges.txt: copy them from the model the base comes from",
                    source.options.run));
    return;
  }
  std::string missing;
  for (const char* name :
       {"generation_config.json", "preprocessor_config.json", "tokenizer.json", "vocab.json"}) {
    if (!has(name) &&
        !(std::string_view(name) == "preprocessor_config.json" && has("processor_config.json"))) {
      missing += std::string(missing.empty() ? "" : ", ") + name;
    }
  }
  if (missing.empty()) return;
  result.warnings.push_back(fmt::format(
      "the base has no {}: the weights load, but pipelines that need these must get them "
      "from the model the base comes from",
      missing));
}

void write_folder(const ExportSource& source, const fs::path& folder, ExportResult& result) {
  const ExportOptions& options = source.options;
  const std::string where = options.run + "/manifest.json: recipe";
  export_weights(source, folder, result);
  if (options.format == checkpoint::Naming::hf) {
    copy_files(source, folder, result);
    warn_of_missing(source, result);
    write_file_atomically(folder / "README.md",
                          model_card(source.manifest.recipe, main_dtype(source), where));
    result.files.emplace_back("README.md");
  }
  write_file_atomically(folder / kRecipeFile, recipe_yaml(source.manifest.recipe, where));
  result.files.emplace_back(kRecipeFile);
  std::sort(result.files.begin(), result.files.end());
}

fs::path sibling(const fs::path& output, const char* what) {
  return output.parent_path() / fmt::format(".{}.koine-{}", output.filename().string(), what);
}

/// Moves the finished folder to its place; an earlier export there gives way.
void put_in_place(const fs::path& folder, const fs::path& output) {
  const fs::path old = sibling(output, "old");
  fs::remove_all(old);
  if (fs::exists(output)) publish_file(output, old);
  publish_file(folder, output);
  fs::remove_all(old);
}

}  // namespace

ExportResult export_run(const ExportOptions& options) {
  const store::Manifest manifest = manifest_of(options);
  const checkpoint::Checkpoint run = checkpoint::open(options.run);
  const fs::path output = place_of(options.output);
  check_apart(output, fs::weakly_canonical(options.run));
  check_output(output, manifest);
  const fs::path folder = sibling(output, "part");
  fs::remove_all(folder);
  make_folders(folder);
  ExportResult result;
  try {
    write_folder({options, manifest, run}, folder, result);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
    throw;
  }
  put_in_place(folder, output);
  return result;
}

}  // namespace koine::pipeline
