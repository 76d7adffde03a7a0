#include "pipeline/sweep_keep.hpp"

#include <fmt/format.h>

#include "core/file.hpp"
#include "core/json.hpp"
#include "core/stop.hpp"
#include "pipeline/sweep_evaluation.hpp"
#include "pipeline/sweep_results.hpp"

namespace koine::pipeline {
namespace {

namespace fs = std::filesystem;
constexpr const char* kBest = "best";

/// [folder, recipe] of what is to be kept, as JSON. Root only.
std::string list_of(const KeepContext& context) {
  const SweepResults results = gather_results(context.sweep, *context.folder, context.numbers);
  Json rows = Json::array();
  for (const PointRow& row : results.rows) {
    const std::string status = status_of(row.result);
    const bool has_result = status == "merged" || status == "done";
    if (context.sweep.keep == recipe::Keep::all && !row.same_as && has_result)
      rows.push_back({fmt::format("points/{}/merged", row.number), row.point.recipe});
    if (context.sweep.keep == recipe::Keep::best && results.best == row.number)
      rows.push_back({kBest, row.point.recipe});
  }
  return rows.dump();
}

/// An earlier best that is another makes room. Root only.
void make_room(const fs::path& sweep, const std::string& recipe) {
  const fs::path note = sweep / ".koine" / "best.yaml";
  std::error_code none;
  if (fs::exists(note, none) && read_text_file(note, std::int64_t{1} << 30) == recipe) return;
  fs::remove_all(sweep / kBest, none);
  write_file_atomically(note, recipe);
}

}  // namespace

void keep_checkpoints(const KeepContext& context, const SweepOptions& options,
                      comm::Communicator& processes, Progress& progress) {
  std::string text;
  if (processes.is_root()) text = list_of(context);
  processes.broadcast(text);
  for (const Json& row : Json::parse(text)) {
    throw_if_stopped();
    const std::string name = row.at(0), recipe = row.at(1);
    if (processes.is_root() && name == kBest) make_room(context.path, recipe);
    processes.barrier();
    merge_text(recipe, context.path / ".koine" / "recipes", context.path / name, options, processes,
               progress);
  }
}

}  // namespace koine::pipeline
