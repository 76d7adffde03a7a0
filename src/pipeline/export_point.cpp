#include "pipeline/export_point.hpp"

#include "core/error.hpp"
#include "pipeline/sweep_evaluation.hpp"
#include "pipeline/sweep_folder.hpp"
#include "store/factor_cache.hpp"

namespace koine::pipeline {

namespace fs = std::filesystem;

namespace {

/// The sweep's own cache; none where it is gone and the folder is another's.
fs::path usable_cache(const fs::path& folder) {
  try {
    return store::FactorCache(folder).folder();
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

std::pair<std::string, std::string> split_point(const std::string& run) {
  const auto mark = run.rfind('#');
  std::error_code none;
  if (mark == std::string::npos || fs::exists(run, none)) return {run, ""};
  return {run.substr(0, mark), run.substr(mark + 1)};
}

ExportResult export_point(ExportOptions options, const SweepOptions& how, Progress& progress) {
  const auto [folder, word] = split_point(options.run);
  const std::vector<SeenPoint> points = read_points(folder);
  const SeenPoint& point = find_point(points, word);
  SweepOptions with_cache = how;
  if (how.cache.empty()) with_cache.cache = usable_cache(fs::path(folder) / ".koine" / "cache");
  fs::path output = options.output;
  if (!output.has_filename()) output = output.parent_path();
  // Another point's that was stopped here must not be in the way.
  const fs::path aside = output.string() + ".koine-point-" + point.id;
  std::error_code none;
  try {
    const auto alone = comm::make_self();
    merge_text(point.recipe, aside, aside / "run", with_cache, *alone, progress);
    options.run = (aside / "run").string();
    ExportResult made = export_run(options);
    fs::remove_all(aside, none);
    return made;
  } catch (const InputError&) {
    fs::remove_all(aside, none);
    throw;
  }
}

}  // namespace koine::pipeline
