#include "pipeline/export_point.hpp"

#include "pipeline/sweep_evaluation.hpp"
#include "pipeline/sweep_folder.hpp"

namespace koine::pipeline {

namespace fs = std::filesystem;

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
  if (how.cache.empty()) with_cache.cache = fs::path(folder) / ".koine" / "cache";
  fs::path output = options.output;
  if (!output.has_filename()) output = output.parent_path();
  const fs::path aside = output.string() + ".koine-point";
  const auto alone = comm::make_self();
  merge_text(point.recipe, aside / "point.yaml", aside / "run", with_cache, *alone, progress);
  options.run = (aside / "run").string();
  ExportResult made = export_run(options);
  std::error_code none;
  fs::remove_all(aside, none);
  return made;
}

}  // namespace koine::pipeline
